import { createStore, useStore } from 'zustand'
import type { KeptTuning, ModelProfile, TuneReport, Tuning } from '#app/contract/profile.ts'
import type { Draft } from './draft.ts'

/** What the host measures for this page now, and what it has found. */
export type TuningState = {
  measuring: { what: 'profile' | 'autotune'; stage: string; progress: number } | null
  profile: ModelProfile | null
  report: TuneReport | null
  /** Chosen earlier, for the model and sizes of the form. */
  kept: KeptTuning | null
  problem: string | null
}

export const tuningStore = createStore<TuningState>(() => ({
  measuring: null,
  profile: null,
  report: null,
  kept: null,
  problem: null,
}))
export const useTuning = <T>(select: (state: TuningState) => T): T => useStore(tuningStore, select)

/** What of a tuning the form has. */
export const tuningOf = ({ attnProcessor, chunkingOn, forwardChunking }: Draft): Tuning => ({
  attnProcessor,
  forwardChunking: chunkingOn ? forwardChunking : null,
})

export const sameTuning = (a: Tuning, b: Tuning): boolean =>
  JSON.stringify([a.attnProcessor, a.forwardChunking]) === JSON.stringify([b.attnProcessor, b.forwardChunking])
