import { useEffect, useSyncExternalStore } from 'react'
import { toProblem, type Problem } from '#app/contract/errors.ts'

/**
 * Decoded frames, outside zustand: they are large, change often while a job runs, and only players look at them.
 * Keys: `clip:ID`, `preview:JOB`, `classified:RESULT`.
 */
export type FrameSet = {
  width: number
  height: number
  images: readonly ImageData[]
  /** For a preview: the step it shows. */
  step?: number
  /** Frames of the whole clip, where only some of them are here, and the rate at which those are shown. */
  total?: number
  fps?: number
}

type Entry = { frames?: FrameSet; failed?: Problem; usedAt: number }

const entries = new Map<string, Entry>()
const listeners = new Set<() => void>()
const mostBytes = 768 * 1024 ** 2
let clock = 0

export const framesOf = (key: string): FrameSet | undefined => entries.get(key)?.frames

export function setFrames(key: string, frames: FrameSet): void {
  entries.set(key, { frames, usedAt: ++clock })
  dropOldest()
  for (const listener of listeners) listener()
}

export function dropFrames(key: string): void {
  if (entries.delete(key)) for (const listener of listeners) listener()
}

function failFrames(key: string, failed: Problem): void {
  entries.set(key, { failed, usedAt: ++clock })
  for (const listener of listeners) listener()
}

/** What could not be loaded is tried again by whoever shows it: all, or what is under one key. */
export function forgetFailures(only?: string): void {
  for (const [key, { failed }] of entries) if (failed && (only ?? key) === key) entries.delete(key)
  for (const listener of listeners) listener()
}

function dropOldest(): void {
  const size = (entry: Entry): number =>
    entry.frames ? entry.frames.width * entry.frames.height * 4 * entry.frames.images.length : 0
  const byAge = [...entries].sort(([, a], [, b]) => a.usedAt - b.usedAt)
  let total = byAge.reduce((sum, [, entry]) => sum + size(entry), 0)
  for (const [key, entry] of byAge) {
    if (total <= mostBytes || entry.usedAt === clock) return
    total -= size(entry)
    entries.delete(key)
  }
}

const loading = new Map<string, Promise<void>>()

/** Loads frames under a key once, however often it is asked for. A failure is kept in words beside it. */
export function loadFrames(key: string, load: () => Promise<FrameSet>): void {
  const entry = entries.get(key)
  if (entry) entry.usedAt = ++clock
  if (entry || loading.has(key)) return
  const work = load()
    .then((frames) => setFrames(key, frames))
    .catch((error: unknown) => failFrames(key, toProblem(error)))
    .finally(() => loading.delete(key))
  loading.set(key, work)
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useFrames = (key: string | undefined): FrameSet | undefined =>
  useSyncExternalStore(subscribe, () => (key === undefined ? undefined : entries.get(key)?.frames))

/** Frames that are loaded when they are looked at, and why they could not be. */
export function useLoaded(key: string, load: () => void): { frames?: FrameSet; failed?: Problem } {
  const entry = useSyncExternalStore(subscribe, () => entries.get(key))
  // After every render, for it asks a map alone: what was dropped to make room, or forgotten, is loaded again.
  useEffect(() => load())
  return entry ?? nothing
}
const nothing = {}
