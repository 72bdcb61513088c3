import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'

/** A boolean that Python code may also have left as null, meaning false. */
export const flag = (initial: boolean) =>
  z
    .boolean()
    .nullable()
    .default(initial)
    .transform((value) => value ?? false)

/** `null` and absent both mean "not set". */
export const optionalNumber = z
  .number()
  .nullish()
  .transform((value) => value ?? null)

/** The noise schedule's keys; every class has its own defaults and its own list of schedules. */
export const betaFields = <const S extends string>(
  start: number,
  end: number,
  schedule: S,
  schedules: readonly S[],
) => ({
  num_train_timesteps: z.int().min(2).max(1_000_000).default(1000),
  beta_start: z.number().positive().max(1).default(start),
  beta_end: z.number().positive().max(1).default(end),
  beta_schedule: z.enum(schedules).default(schedule as never),
  trained_betas: z
    .array(z.number())
    .nullish()
    .transform((value) => value ?? null),
})

export const commonSchedules = ['linear', 'scaled_linear', 'squaredcos_cap_v2'] as const

export const spacingFields = (spacing: 'linspace' | 'leading' | 'trailing') => ({
  timestep_spacing: z.enum(['linspace', 'leading', 'trailing']).default(spacing),
  steps_offset: z.int().min(0).default(0),
})

export const predictionField = z.enum(['epsilon', 'sample', 'v_prediction']).default('epsilon')

export const thresholdFields = {
  thresholding: flag(false),
  dynamic_thresholding_ratio: z.number().min(0).max(1).default(0.995),
  sample_max_value: z.number().positive().default(1),
}

export const clipFields = (clip: boolean) => ({
  clip_sample: flag(clip),
  clip_sample_range: z.number().positive().default(1),
})

export const sigmaFields = {
  use_karras_sigmas: flag(false),
  use_exponential_sigmas: flag(false),
  use_beta_sigmas: flag(false),
  sigma_min: optionalNumber,
  sigma_max: optionalNumber,
}

/** Refuses two sigma spacings at once, by name. */
export function requireOneSpacing(config: {
  use_karras_sigmas: boolean
  use_exponential_sigmas: boolean
  use_beta_sigmas: boolean
}): void {
  const set = (['use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas'] as const).filter((key) => config[key])
  if (set.length > 1) throw refusal(`${set.join(' and ')} cannot be used together; keep one.`, set[0] ?? '')
}

/** A setting of scheduler_config.json that cannot be honoured. */
export const refusal = (message: string, field: string): ProblemError =>
  new ProblemError('bad-model', `scheduler_config.json: ${message}`, { field, file: 'scheduler_config.json' })

const ownSchema = z.looseObject({ _class_name: z.string().default('DDIMScheduler') })

/** A scheduler_config.json: its class, that of pipelines of old where it names none, and whatever else it holds. */
export type SchedulerConfig = z.output<typeof ownSchema>

/** Throws bad-model. */
export function readSchedulerConfig(text: string): SchedulerConfig {
  const parsed = ownSchema.safeParse(parseSchedulerConfig(text))
  if (parsed.success) return parsed.data
  throw refusal('it is not an object whose _class_name is a text.', '_class_name')
}

/**
 * The config with what a run changes in it. `_use_default_values` lists keys of the file that count for nothing in
 * diffusers' from_config; a key that is given counts.
 */
export function changedConfig(config: SchedulerConfig, changes: Readonly<Record<string, unknown>>): SchedulerConfig {
  const { _use_default_values: defaulted } = config
  const left = Array.isArray(defaulted) && { _use_default_values: defaulted.filter((key) => !(String(key) in changes)) }
  return { ...config, ...left, ...changes }
}

/**
 * The text of a scheduler_config.json as an object. Python writes -Infinity (PixArt's lambda_min_clipped) and NaN,
 * which are no JSON; NaN becomes null. Throws bad-model.
 */
export function parseSchedulerConfig(text: string): unknown {
  const tokens = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g
  const json = text.replace(tokens, (token) =>
    token.startsWith('"') ? token : token === 'NaN' ? 'null' : token === 'Infinity' ? '1e999' : '-1e999',
  )
  try {
    return JSON.parse(json) as unknown
  } catch (cause) {
    throw new ProblemError('bad-model', `scheduler_config.json is not JSON: ${(cause as Error).message}`, {
      file: 'scheduler_config.json',
      cause,
    })
  }
}
