import { z } from 'zod'

/**
 * Noise schedules that a run may take in place of the checkpoint's own. AnimateDiff's motion modules were trained on
 * the linear one.
 */
export const betaSchedules = ['linear', 'scaled_linear', 'squaredcos_cap_v2'] as const

/**
 * Keys of scheduler_config.json that a run may take in place of the checkpoint's own, by diffusers' names: those that
 * published recipes name.
 */
const configKeys = {
  beta_schedule: z.enum(betaSchedules),
  beta_start: z.number().positive().max(1),
  beta_end: z.number().positive().max(1),
  prediction_type: z.enum(['epsilon', 'sample', 'v_prediction']),
  timestep_spacing: z.enum(['linspace', 'leading', 'trailing']),
  steps_offset: z.int().min(0).max(1000),
  use_karras_sigmas: z.boolean(),
  use_exponential_sigmas: z.boolean(),
  use_beta_sigmas: z.boolean(),
  final_sigmas_type: z.enum(['zero', 'sigma_min']),
  algorithm_type: z.enum(['dpmsolver++', 'sde-dpmsolver++', 'dpmsolver', 'sde-dpmsolver']),
  solver_order: z.int().min(1).max(3),
  clip_sample: z.boolean(),
  set_alpha_to_one: z.boolean(),
  rescale_betas_zero_snr: z.boolean(),
  original_inference_steps: z.int().min(1).max(1000),
} as const

export const schedulerConfigSchema = z.strictObject(configKeys).partial()
/** What a run changes in scheduler_config.json. What is absent is as the checkpoint says. */
export type SchedulerChanges = z.infer<typeof schedulerConfigSchema>
export type SchedulerKey = keyof typeof configKeys
export const schedulerKeys = Object.keys(configKeys) as SchedulerKey[]

const betas = ['beta_schedule', 'beta_start', 'beta_end', 'prediction_type'] as const
const spacing = ['timestep_spacing', 'steps_offset'] as const
const sigmas = ['use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas'] as const
const finalSigmas = [...sigmas, 'final_sigmas_type'] as const

type Entry = {
  readonly label: string
  /** It draws noise while it runs, whatever its settings. */
  readonly stochastic: boolean
  /** What a run's latents are; a menu for clips has those for frames. */
  readonly denoises: 'frames' | 'embeddings'
  /** What it reads of the keys that a run may change; diffusers' from_config passes over the others. */
  readonly reads: readonly SchedulerKey[]
  /** It adds noise by the share that `eta` is. */
  readonly takesEta?: true
}

const frames = (label: string, reads: Entry['reads'], more: Partial<Entry> = {}): Entry => ({
  label,
  stochastic: false,
  denoises: 'frames',
  reads: [...betas, ...reads],
  ...more,
})
const eta = { takesEta: true } as const
const stochastic = { stochastic: true } as const

/** The schedulers by diffusers' class names, in the order of a menu. */
export const schedulerTable = {
  DDIMScheduler: frames('DDIM', [...spacing, 'clip_sample', 'set_alpha_to_one', 'rescale_betas_zero_snr'], eta),
  DPMSolverMultistepScheduler: frames('DPM-Solver++', [
    'algorithm_type',
    'solver_order',
    ...spacing,
    ...finalSigmas,
    'rescale_betas_zero_snr',
  ]),
  UniPCMultistepScheduler: frames('UniPC', ['solver_order', ...spacing, ...finalSigmas, 'rescale_betas_zero_snr']),
  EulerDiscreteScheduler: frames('Euler', [...spacing, ...finalSigmas, 'rescale_betas_zero_snr']),
  EulerAncestralDiscreteScheduler: frames('Euler ancestral', [...spacing, 'rescale_betas_zero_snr'], stochastic),
  HeunDiscreteScheduler: frames('Heun', [...spacing, ...sigmas, 'clip_sample']),
  LMSDiscreteScheduler: frames('LMS', [...spacing, ...sigmas]),
  PNDMScheduler: frames('PNDM', [...spacing, 'set_alpha_to_one']),
  LCMScheduler: frames('LCM', ['original_inference_steps', 'clip_sample', 'rescale_betas_zero_snr'], stochastic),
  TCDScheduler: frames('TCD', ['original_inference_steps', 'rescale_betas_zero_snr'], eta),
  DDPMScheduler: frames('DDPM', [...spacing, 'clip_sample', 'rescale_betas_zero_snr'], stochastic),
  UnCLIPScheduler: {
    label: 'unCLIP',
    stochastic: true,
    denoises: 'embeddings',
    reads: ['beta_schedule', 'prediction_type', 'clip_sample'],
  },
} satisfies Record<string, Entry>

export type SchedulerClass = keyof typeof schedulerTable

export const isSchedulerClass = (name: string): name is SchedulerClass => Object.hasOwn(schedulerTable, name)

/** What a class reads; all where the class is not known, so that the engine has the last word. */
export const readBy = (className: string | null | undefined): readonly SchedulerKey[] =>
  className && isSchedulerClass(className) ? schedulerTable[className].reads : schedulerKeys

/** Whether `eta` means anything to a class; it may where the class is not known. */
export const takesEta = (className: string | null | undefined): boolean =>
  !className || !isSchedulerClass(className) || (schedulerTable[className] as Entry).takesEta === true

/** Changes without those that a class does not read. */
export function forScheduler(changes: SchedulerChanges, className: string | null | undefined): SchedulerChanges {
  const reads = readBy(className)
  return Object.fromEntries(Object.entries(changes).filter(([key]) => reads.includes(key as SchedulerKey)))
}

const withBetaSchedule = z.looseObject({ betaSchedule: z.unknown(), schedulerConfig: z.undefined().optional() })

/** Settings of before there were other keys, when the noise schedule was a field of its own. */
export function withSchedulerConfig(settings: unknown): unknown {
  const { success, data } = withBetaSchedule.safeParse(settings)
  if (!success || data.betaSchedule === undefined) return settings
  const { betaSchedule, ...rest } = data
  return { ...rest, schedulerConfig: betaSchedule === null ? {} : { beta_schedule: betaSchedule } }
}
