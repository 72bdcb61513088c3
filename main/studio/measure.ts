import type { EngineCalls } from '#app/contract/engine.ts'
import { keptTuningSchema, type KeptTuning } from '#app/contract/profile.ts'
import type { GenerateSettings } from '#app/contract/settings.ts'
import type { MeasureEvent, TuneEvent } from '#app/contract/studio.ts'
import { keepTuning, keptTuning, shapeOf, tuningKey } from '#main/tunings.ts'
import { checkGenerate } from './check-generate.ts'
import type { JobTools } from './run-job.ts'

export type MeasureTools = Pick<JobTools, 'engine' | 'models'> & { readonly tuningsFile: string }

type Stage = EngineCalls['profile']['event']

/** The denoiser of these settings, as `generate` would run it. Ends with its profile. */
export async function* profile(
  { engine, models }: MeasureTools,
  settings: GenerateSettings,
  signal: AbortSignal | undefined,
): AsyncGenerator<MeasureEvent, void> {
  const { model, motionAdapter } = await checkGenerate(settings, models)
  const { attnProcessor, forwardChunking } = settings
  const request = {
    model: model.folder,
    motionAdapter: motionAdapter?.folder ?? null,
    settings: { ...shapeOf(settings), attnProcessor, forwardChunking },
  }
  yield* withStages(signal, (onEvent, within) => engine.call('profile', request, { onEvent, signal: within }))
}

/** Proposals for these settings. Ends with them. */
export async function* autotune(
  { engine, models }: MeasureTools,
  settings: GenerateSettings,
  memoryBytes: number | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<TuneEvent, void> {
  const { model, motionAdapter } = await checkGenerate(settings, models)
  const request = {
    model: model.folder,
    motionAdapter: motionAdapter?.folder ?? null,
    settings: { ...shapeOf(settings), memoryBytes },
  }
  yield* withStages(signal, (onEvent, within) => engine.call('autotune', request, { onEvent, signal: within }))
}

export async function kept(
  { models, tuningsFile }: MeasureTools,
  settings: GenerateSettings,
): Promise<KeptTuning | null> {
  return keptTuning(tuningKey(settings, await checkGenerate(settings, models)), tuningsFile)
}

export async function keep(
  { models, tuningsFile }: MeasureTools,
  settings: GenerateSettings,
  tuning: Omit<KeptTuning, 'keptAt'>,
): Promise<void> {
  const key = tuningKey(settings, await checkGenerate(settings, models))
  await keepTuning(key, keptTuningSchema.parse({ ...tuning, keptAt: Date.now() }), tuningsFile)
}

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
