import { readBy, type SchedulerChanges, type SchedulerClass } from '../contract/schedulers.ts'

/** Names of samplers in other programs, in small letters and digits alone. */
const names: Readonly<Record<string, SchedulerClass>> = {
  ddim: 'DDIMScheduler',
  ddpm: 'DDPMScheduler',
  euler: 'EulerDiscreteScheduler',
  eulera: 'EulerAncestralDiscreteScheduler',
  eulerancestral: 'EulerAncestralDiscreteScheduler',
  heun: 'HeunDiscreteScheduler',
  lms: 'LMSDiscreteScheduler',
  lcm: 'LCMScheduler',
  tcd: 'TCDScheduler',
  plms: 'PNDMScheduler',
  pndm: 'PNDMScheduler',
  unipc: 'UniPCMultistepScheduler',
  'dpm++2m': 'DPMSolverMultistepScheduler',
  dpmpp2m: 'DPMSolverMultistepScheduler',
}

/**
 * Names of schedules there, in the same way. SGM's uniform one is trailing here:
 * diffusers/docs/source/en/api/schedulers/overview.md@58eb52c.
 */
const schedules: Readonly<Record<string, SchedulerChanges>> = {
  k: { use_karras_sigmas: true },
  karras: { use_karras_sigmas: true },
  exponential: { use_exponential_sigmas: true },
  beta: { use_beta_sigmas: true },
  sgmuniform: { timestep_spacing: 'trailing' },
}

const bare = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9+]/g, '')

/** The scheduler that a sampler's name means, its schedule, and what of the name nothing here stands for. */
export function schedulerNamed(name: string): {
  scheduler?: SchedulerClass
  schedulerConfig?: SchedulerChanges
  rest?: string
} {
  const [, base = '', schedule] = /^(.*?)(?:[ _](karras|exponential|k))?$/i.exec(name.trim()) ?? []
  const scheduler = names[bare(base)]
  if (!scheduler) return { rest: name }
  if (!schedule) return { scheduler }
  const schedulerConfig = scheduleNamed(schedule, scheduler)
  return { scheduler, ...(schedulerConfig ? { schedulerConfig } : { rest: schedule }) }
}

/** What the name of a schedule means for a scheduler; undefined where it has no such thing. */
export function scheduleNamed(name: string, scheduler: string | undefined): SchedulerChanges | undefined {
  const changes = schedules[bare(name)]
  const reads = scheduler === undefined ? [] : readBy(scheduler)
  return changes && Object.keys(changes).every((key) => reads.some((one) => one === key)) ? changes : undefined
}
