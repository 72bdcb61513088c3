import { createStore, useStore } from 'zustand'
import { pipelines } from '#app/contract/pipelines.ts'
import {
  isEmbedding,
  isPicture,
  type ClassificationResult,
  type EmbeddingResult,
  type PictureResult,
  type Result,
} from '#app/contract/results.ts'
import type { AppSettings, FreeU, LoraScales } from '#app/contract/settings.ts'
import { isFinished, type Job } from '#app/contract/jobs.ts'
import type { EngineStatus } from '#app/contract/system.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import type { ProcessorMap } from '#app/contract/processor-maps.ts'
import type { StudioEvent } from '#app/contract/studio.ts'
import { viewOfJob, type ViewId } from '#app/contract/views.ts'
import type { ConnectionState } from '#renderer/bridge/connection.ts'

/** The host's state as the page mirrors it. Only `applyEvent` changes what came from the host. */
export type StudioState = {
  connection: ConnectionState
  /** False until the first snapshot: nothing is known yet. */
  known: boolean
  appVersion: string
  /** Oldest first. */
  jobs: readonly Job[]
  /** Newest first. */
  results: readonly Result[]
  models: readonly ModelEntry[]
  /** False until the host has searched the folders. */
  modelsKnown: boolean
  engine: EngineStatus | null
  settings: AppSettings | null
  /** By name. */
  processorMaps: readonly ProcessorMap[]
  /** Where a running job began to use other values: `step`, counted from 1, was the first to. */
  liveMarks: Readonly<Record<string, readonly LiveMark[]>>
}
export type LiveMark = { step: number; what: 'FreeU' | 'LoRA scales' }

export const studioStore = createStore<StudioState>(() => ({
  connection: 'connecting',
  known: false,
  appVersion: '',
  jobs: [],
  results: [],
  models: [],
  modelsKnown: false,
  engine: null,
  settings: null,
  processorMaps: [],
  liveMarks: {},
}))

export const useStudio = <T>(select: (state: StudioState) => T): T => useStore(studioStore, select)

/** An event about the host's state; a command of its menu is none, nor is what it only tells. */
export type StateEvent = Exclude<StudioEvent, { type: 'command' | 'notice' }>

export function applyEvent(state: StudioState, event: StateEvent): Partial<StudioState> {
  switch (event.type) {
    case 'snapshot': {
      const { jobs, results, appVersion, models, modelsKnown, engine, settings, processorMaps } = event
      return {
        known: true,
        appVersion,
        models,
        modelsKnown,
        engine,
        settings,
        processorMaps,
        jobs: oldestFirst(jobs),
        results: newestFirst(results),
      }
    }
    case 'job': {
      const before = state.jobs.find((job) => job.id === event.job.id)
      const others = state.jobs.filter((job) => job.id !== event.job.id)
      return {
        jobs: oldestFirst([...others, event.job]),
        liveMarks: before ? marked(state.liveMarks, before, event.job) : state.liveMarks,
      }
    }
    case 'job-removed':
      return { jobs: state.jobs.filter((job) => job.id !== event.id) }
    case 'engine':
      return { engine: event.engine }
    case 'result-added':
      return { results: newestFirst([...state.results.filter((r) => r.id !== event.result.id), event.result]) }
    case 'result-removed':
      return { results: state.results.filter((result) => result.id !== event.id) }
    case 'models':
      return { models: event.models, modelsKnown: true }
    case 'settings':
      return { settings: event.settings }
    case 'processor-maps':
      return { processorMaps: event.processorMaps }
  }
}

function marked(marks: StudioState['liveMarks'], before: Job, now: Job): StudioState['liveMarks'] {
  const { id, step } = now
  // It starts anew: its cancelling was undone.
  if (step < before.step) return { ...marks, [id]: [] }
  const added: LiveMark[] = []
  if (before.freeuUsed !== undefined && now.freeuUsed !== undefined && !sameFreeU(before.freeuUsed, now.freeuUsed))
    added.push({ step, what: 'FreeU' })
  if (before.loraScalesUsed && now.loraScalesUsed && !sameScales(before.loraScalesUsed, now.loraScalesUsed))
    added.push({ step, what: 'LoRA scales' })
  return added.length === 0 ? marks : { ...marks, [id]: [...(marks[id] ?? []), ...added] }
}

export const sameFreeU = (a: FreeU | null, b: FreeU | null): boolean =>
  a === b || (!!a && !!b && a.b1 === b.b1 && a.b2 === b.b2 && a.s1 === b.s1 && a.s2 === b.s2)

export const sameScales = (a: LoraScales, b: LoraScales): boolean =>
  Object.keys({ ...a, ...b }).every((id) => a[id] === b[id])

const oldestFirst = (jobs: readonly Job[]): Job[] => [...jobs].sort((a, b) => a.createdAt - b.createdAt)
const newestFirst = (results: readonly Result[]): Result[] => [...results].sort((a, b) => b.createdAt - a.createdAt)

export const activeJobs = (state: StudioState): Job[] => state.jobs.filter((job) => !isFinished(job.status))
/** The engine works on it now. */
export const isRunning = ({ status }: Job): boolean => status === 'running' || status === 'loading'
/** The job of a view that the engine works on now. */
export const runningIn = (view: ViewId, { jobs }: Pick<StudioState, 'jobs'>): Job | undefined =>
  jobs.find((job) => isRunning(job) && viewOfJob(job.pipeline) === view)
/** The job that the engine works on now, if anything of it can be changed meanwhile. */
export const runningLive = (state: StudioState): Job | undefined =>
  state.jobs.find((job) => pipelines[job.pipeline].live.length > 0 && isRunning(job))
/** A clip or still of the library. */
export const pictureById = (state: StudioState, id: string): PictureResult | undefined => {
  const result = state.results.find((one) => one.id === id)
  return isPicture(result) ? result : undefined
}
export const embeddingById = (state: StudioState, id: string): EmbeddingResult | undefined => {
  const result = state.results.find((one) => one.id === id)
  return isEmbedding(result) ? result : undefined
}
export const classificationById = (state: StudioState, id: string): ClassificationResult | undefined =>
  state.results.find((result): result is ClassificationResult => result.id === id && result.kind === 'classification')
