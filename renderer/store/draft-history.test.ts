import { beforeEach, expect, test, vi } from 'vitest'

const kept = new Map<string, string>()
const storage = {
  getItem: (key: string): string | null => kept.get(key) ?? null,
  setItem: (key: string, text: string): void => void kept.set(key, text),
}

/** The page's modules as after a reload. */
async function reload() {
  vi.resetModules()
  const { draftStore, editDraft, firstDraft, keepDraft } = await import('./draft.ts')
  keepDraft()
  return { draftStore, editDraft, firstDraft, ...(await import('./draft-history.ts')) }
}

beforeEach(() => {
  kept.clear()
  vi.stubGlobal('localStorage', storage)
})

test('a prompt that was overwritten comes back, and what overwrote it too', async () => {
  const page = await reload()
  const prompt = (): string => page.draftStore.getState().prompt
  page.undoDraft()
  expect([prompt(), page.canUndo(), page.canRedo()]).toEqual(['', false, false])
  page.editDraft({ prompt: 'never run' })
  page.replaceDraft({ ...page.firstDraft, prompt: 'a recipe' })
  page.editDraft({ prompt: 'a recipe, changed' })
  page.undoDraft()
  expect([prompt(), page.canUndo(), page.canRedo()]).toEqual(['never run', false, true])
  page.redoDraft()
  expect([prompt(), page.canUndo(), page.canRedo()]).toEqual(['a recipe, changed', true, false])
  page.undoDraft()
  page.replaceDraft({ ...page.firstDraft, seed: 5 })
  expect(page.canRedo()).toBe(false)
})

test('it comes back after a reload too, and whatever else was stored does no harm', async () => {
  const before = await reload()
  before.editDraft({ prompt: 'never run' })
  before.replaceDraft({ ...before.firstDraft, prompt: 'a recipe' })
  const after = await reload()
  expect(after.draftStore.getState().prompt).toBe('a recipe')
  after.undoDraft()
  expect(after.draftStore.getState().prompt).toBe('never run')

  for (const broken of ['x', '{}', 'null', '[3, null, {"prompt": 1}]']) {
    kept.set('frameloom.draft-history', broken)
    const page = await reload()
    while (page.canUndo()) page.undoDraft()
    expect(page.draftStore.getState().width).toBe(page.firstDraft.width)
  }
})
