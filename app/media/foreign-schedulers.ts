import type { SchedulerClass } from '../contract/schedulers.ts'

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
  plms: 'PNDMScheduler',
  pndm: 'PNDMScheduler',
  unipc: 'UniPCMultistepScheduler',
  'dpm++2m': 'DPMSolverMultistepScheduler',
  dpmpp2m: 'DPMSolverMultistepScheduler',
}

/** The scheduler that a sampler's name means, and what of the name nothing here stands for. */
export function schedulerNamed(name: string): { scheduler?: SchedulerClass; rest?: string } {
  const [, base = '', karras] = /^(.*?)([ _](?:karras|exponential|k))?$/i.exec(name.trim()) ?? []
  const scheduler = names[base.toLowerCase().replaceAll(/[^a-z0-9+]/g, '')]
  if (!scheduler) return { rest: name }
  return { scheduler, ...(karras && { rest: /expo/i.test(karras) ? 'Exponential' : 'Karras' }) }
}
