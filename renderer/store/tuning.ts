import { createStore, useStore } from 'zustand'
import { isOneProcessor, type AttnChoice } from '#app/contract/attn-processors.ts'
import type { KeptTuning, ModelProfile, ProfileShape, TuneReport, Tuning } from '#app/contract/profile.ts'
import type { Draft } from './draft.ts'
import { plural } from '#renderer/ui/format.ts'

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

/** "8 frames of 64x64, with guidance" */
export const shapeWords = ({ numFrames, width, height, batch }: ProfileShape): string =>
  `${plural(numFrames, 'frame')} of ${width}x${height}${batch > 1 ? ', with guidance' : ''}`

export const chunkingWords = ({ forwardChunking }: Tuning): string =>
  forwardChunking ? `${forwardChunking.chunkSize} along ${forwardChunking.dim === 0 ? 'batch' : 'tokens'}` : 'Off'

/** A map by how many layers have which processor. */
export function processorWords(choice: AttnChoice | null): string {
  if (choice === null) return 'Default'
  const counts = new Map<string, number>()
  for (const one of isOneProcessor(choice) ? [choice] : Object.values(choice)) {
    const name = 'slice_size' in one ? `Sliced, ${one.slice_size} at a time` : one.processor
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  if (isOneProcessor(choice)) return [...counts.keys()].join()
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ')
}

/** What of a tuning the form has. */
export const tuningOf = ({ attnProcessor, chunkingOn, forwardChunking }: Draft): Tuning => ({
  attnProcessor,
  forwardChunking: chunkingOn ? forwardChunking : null,
})

export const sameTuning = (a: Tuning, b: Tuning): boolean =>
  JSON.stringify([a.attnProcessor, a.forwardChunking]) === JSON.stringify([b.attnProcessor, b.forwardChunking])
