/**
 * The schedulers by diffusers' class names, in the order of a menu. `stochastic`: it draws noise while it runs (DDIM
 * only with eta above 0). `denoises`: what a run's latents are; a menu for clips has those for frames.
 */
export const schedulerTable = {
  DDIMScheduler: { label: 'DDIM', stochastic: false, denoises: 'frames' },
  DPMSolverMultistepScheduler: { label: 'DPM-Solver++', stochastic: false, denoises: 'frames' },
  UniPCMultistepScheduler: { label: 'UniPC', stochastic: false, denoises: 'frames' },
  EulerDiscreteScheduler: { label: 'Euler', stochastic: false, denoises: 'frames' },
  EulerAncestralDiscreteScheduler: { label: 'Euler ancestral', stochastic: true, denoises: 'frames' },
  HeunDiscreteScheduler: { label: 'Heun', stochastic: false, denoises: 'frames' },
  LMSDiscreteScheduler: { label: 'LMS', stochastic: false, denoises: 'frames' },
  PNDMScheduler: { label: 'PNDM', stochastic: false, denoises: 'frames' },
  LCMScheduler: { label: 'LCM', stochastic: true, denoises: 'frames' },
  DDPMScheduler: { label: 'DDPM', stochastic: true, denoises: 'frames' },
  UnCLIPScheduler: { label: 'unCLIP', stochastic: true, denoises: 'embeddings' },
} as const

export type SchedulerClass = keyof typeof schedulerTable

export const isSchedulerClass = (name: string): name is SchedulerClass => Object.hasOwn(schedulerTable, name)

/**
 * Noise schedules that a run may take in place of the checkpoint's own. AnimateDiff's motion modules were trained on
 * the linear one.
 */
export const betaSchedules = ['linear', 'scaled_linear', 'squaredcos_cap_v2'] as const
