import type { EngineCalls } from '#app/contract/engine.ts'
import { keptTuningSchema, type KeptTuning } from '#app/contract/profile.ts'
import type { RunRequest } from '#app/contract/pipelines.ts'
import type { LocatedModel } from '#app/contract/engine.ts'
import type { MeasureEvent, TuneEvent } from '#app/contract/studio.ts'
import { keepTuning, keptTuning, shapeOf, tuningKey } from '#main/tunings.ts'
import { checkRun } from './find-models.ts'
import type { JobTools } from './run-job.ts'

export type MeasureTools = Pick<JobTools, 'engine' | 'models'> & { readonly tuningsFile: string }

type Stage = EngineCalls['profile']['event']

/** The model of these settings, as a run would use it. Ends with its profile. */
export async function* profile(
  { engine, models }: MeasureTools,
  run: RunRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<MeasureEvent, void> {
  const pair = await pairOf(models, run)
  const { attnProcessor, forwardChunking } = { ...unchanged, ...run.settings }
  const request = { ...foldersOf(pair), settings: { ...shapeOf(run.settings), attnProcessor, forwardChunking } }
  yield* withStages(signal, (onEvent, within) => engine.call('profile', request, { onEvent, signal: within }))
}

/** Proposals for these settings. Ends with them. */
export async function* autotune(
  { engine, models }: MeasureTools,
  run: RunRequest,
  memoryBytes: number | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<TuneEvent, void> {
  const request = {
    ...foldersOf(await pairOf(models, run)),
    settings: { ...shapeOf(run.settings), memoryBytes },
  }
  yield* withStages(signal, (onEvent, within) => engine.call('autotune', request, { onEvent, signal: within }))
}

export const kept = async ({ models, tuningsFile }: MeasureTools, run: RunRequest): Promise<KeptTuning | null> =>
  keptTuning(tuningKey(run.settings, await pairOf(models, run)), tuningsFile)

export async function keep(
  { models, tuningsFile }: MeasureTools,
  run: RunRequest,
  tuning: Omit<KeptTuning, 'keptAt'>,
): Promise<void> {
  const key = tuningKey(run.settings, await pairOf(models, run))
  await keepTuning(key, keptTuningSchema.parse({ ...tuning, keptAt: Date.now() }), tuningsFile)
}

/** What a model does where its pipeline has no choice of processors or chunking. */
const unchanged = { attnProcessor: null, forwardChunking: null }

type Pair = { model: LocatedModel; motionAdapter: LocatedModel | null }

async function pairOf(models: MeasureTools['models'], run: RunRequest): Promise<Pair> {
  const { model, motionAdapter } = checkRun(run, await models.all())
  return { model: model![0]!, motionAdapter: motionAdapter?.[0] ?? null }
}

const foldersOf = ({ model, motionAdapter }: Pair) => ({
  model: model.folder,
  motionAdapter: motionAdapter?.folder ?? null,
})

/** What `work` tells on its way, then its result. Whoever stops listening stops the work. */
async function* withStages<T>(
  signal: AbortSignal | undefined,
  work: (onEvent: (event: Stage) => void, signal: AbortSignal) => Promise<T>,
): AsyncGenerator<Stage | { type: 'done'; result: T }, void> {
  const stop = new AbortController()
  const within = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const state: { latest: Stage | undefined; ended: boolean } = { latest: undefined, ended: false }
  let wake = (): void => {}
  const onEvent = (event: Stage): void => {
    state.latest = event // an older one is of no interest any more
    wake()
  }
  const working = work(onEvent, within).finally(() => {
    state.ended = true
    wake()
  })
  working.catch(() => {}) // awaited below, unless nobody listens any more
  try {
    for (;;) {
      const { latest, ended } = state
      state.latest = undefined
      if (latest) yield latest
      else if (ended) break
      else await new Promise<void>((resolve) => (wake = resolve))
    }
    yield { type: 'done', result: await working }
  } finally {
    stop.abort()
  }
}
