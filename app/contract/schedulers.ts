/** The schedulers by diffusers' class names, in the order of a menu. `stochastic`: it draws noise while it runs (DDIM only with eta above 0). */
export const schedulerTable = {
  DDIMScheduler: { label: 'DDIM', stochastic: false },
  DPMSolverMultistepScheduler: { label: 'DPM-Solver++', stochastic: false },
  UniPCMultistepScheduler: { label: 'UniPC', stochastic: false },
  EulerDiscreteScheduler: { label: 'Euler', stochastic: false },
  EulerAncestralDiscreteScheduler: { label: 'Euler ancestral', stochastic: true },
  HeunDiscreteScheduler: { label: 'Heun', stochastic: false },
  LMSDiscreteScheduler: { label: 'LMS', stochastic: false },
  PNDMScheduler: { label: 'PNDM', stochastic: false },
  LCMScheduler: { label: 'LCM', stochastic: true },
  DDPMScheduler: { label: 'DDPM', stochastic: true },
  UnCLIPScheduler: { label: 'unCLIP', stochastic: true },
} as const

export type SchedulerClass = keyof typeof schedulerTable

export const isSchedulerClass = (name: string): name is SchedulerClass => Object.hasOwn(schedulerTable, name)

/** Noise schedules that a run may take in place of the checkpoint's own. AnimateDiff's motion modules were trained on the linear one. */
export const betaSchedules = ['linear', 'scaled_linear', 'squaredcos_cap_v2'] as const
