import { draftStore, reviveDraft, type Draft } from './draft.ts'
import { keep, readKeptJson } from './kept.ts'

const storageKey = 'frameloom.draft-history'
const most = 50

/**
 * The form as it was before something filled it at a stroke: a recipe, a rolled seed. Typing is the text field's own to
 * undo. Kept with the draft, so that a prompt that was never run outlives a reload.
 */
let past: readonly Draft[] = revived()
let future: readonly Draft[] = []

function revived(): readonly Draft[] {
  const stored = readKeptJson(storageKey)
  return Array.isArray(stored) ? stored.slice(-most).map(reviveDraft) : []
}

export const canUndo = (): boolean => past.length > 0
export const canRedo = (): boolean => future.length > 0

/** Fills the form; what it was can be had back. */
export function replaceDraft(next: Draft): void {
  go([...past, draftStore.getState()].slice(-most), next, [])
}

export function undoDraft(): void {
  const before = past.at(-1)
  if (before) go(past.slice(0, -1), before, [...future, draftStore.getState()])
}

export function redoDraft(): void {
  const after = future.at(-1)
  if (after) go([...past, draftStore.getState()], after, future.slice(0, -1))
}

function go(nextPast: readonly Draft[], draft: Draft, nextFuture: readonly Draft[]): void {
  past = nextPast
  future = nextFuture
  keep(storageKey, JSON.stringify(past))
  draftStore.setState(draft, true)
}
