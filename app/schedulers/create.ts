import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { isSchedulerClass, type SchedulerClass } from '#app/contract/schedulers.ts'
import { refusal } from './config.ts'
import { createDdim, ddimConfig } from './ddim.ts'
import { createDdpm, ddpmConfig } from './ddpm.ts'
import { createDpmSolver, dpmSolverConfig } from './dpm-solver.ts'
import { createEulerAncestral, eulerAncestralConfig } from './euler-ancestral.ts'
import { createEuler, eulerConfig } from './euler.ts'
import { createHeun, heunConfig } from './heun.ts'
import { createLcm, lcmConfig } from './lcm.ts'
import { createLms, lmsConfig } from './lms.ts'
import { createPndm, pndmConfig } from './pndm.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'
import { createTcd, tcdConfig } from './tcd.ts'
import { createUnclip, unclipConfig } from './unclip.ts'
import { createUnipc, unipcConfig } from './unipc.ts'

type Make<C> = (config: C, steps: number, options: SchedulerOptions) => Scheduler
type Kind = {
  keys: readonly string[]
  create: (config: Record<string, unknown>, steps: number, options: SchedulerOptions) => Scheduler
}

function kind<S extends z.ZodObject>(className: SchedulerClass, schema: S, make: Make<z.output<S>>): Kind {
  return {
    keys: Object.keys(schema.shape),
    create(config, steps, options) {
      const parsed = schema.safeParse(config)
      if (parsed.success) return make(parsed.data, steps, options)
      const issue = parsed.error.issues[0]
      const key = String(issue?.path[0] ?? '')
      throw refusal(`${className} cannot use ${key} ${JSON.stringify(config[key])}: ${issue?.message}`, key)
    },
  }
}

const kinds: Readonly<Record<SchedulerClass, Kind>> = {
  DDIMScheduler: kind('DDIMScheduler', ddimConfig, createDdim),
  DPMSolverMultistepScheduler: kind('DPMSolverMultistepScheduler', dpmSolverConfig, createDpmSolver),
  UniPCMultistepScheduler: kind('UniPCMultistepScheduler', unipcConfig, createUnipc),
  EulerDiscreteScheduler: kind('EulerDiscreteScheduler', eulerConfig, createEuler),
  EulerAncestralDiscreteScheduler: kind('EulerAncestralDiscreteScheduler', eulerAncestralConfig, createEulerAncestral),
  HeunDiscreteScheduler: kind('HeunDiscreteScheduler', heunConfig, createHeun),
  LMSDiscreteScheduler: kind('LMSDiscreteScheduler', lmsConfig, createLms),
  PNDMScheduler: kind('PNDMScheduler', pndmConfig, createPndm),
  LCMScheduler: kind('LCMScheduler', lcmConfig, createLcm),
  TCDScheduler: kind('TCDScheduler', tcdConfig, createTcd),
  DDPMScheduler: kind('DDPMScheduler', ddpmConfig, createDdpm),
  UnCLIPScheduler: kind('UnCLIPScheduler', unclipConfig, createUnclip),
}

/** The arguments of a run that single classes take. */
const ownOptions: Readonly<Partial<Record<keyof SchedulerOptions, readonly SchedulerClass[]>>> = {
  timesteps: ['DDPMScheduler'],
  strength: ['LCMScheduler', 'TCDScheduler'],
  churn: ['EulerDiscreteScheduler'],
}

/** The keys of scheduler_config.json that a class reads. */
export const keysOf = (className: SchedulerClass): readonly string[] => kinds[className].keys

/**
 * Keys of diffusers' other scheduler classes. A config written for one class may be used with another, which takes the
 * keys that both know, so these may stand beside a class's own keys.
 */
const foreignKeys = ['rho', 'sigma_data', 'sigma_schedule', 'noise_sampler_seed', 'lambda_min_clipped', 'variance_type']

const knownKeys = new Set([...Object.values(kinds).flatMap(({ keys }) => keys), ...foreignKeys])

/** Settings of diffusers' early releases that meant nothing, or what is now the only meaning. */
const isHarmlessRelic = (key: string, value: unknown): boolean =>
  key === 'tensor_format' ||
  (key === 'timestep_values' && value === null) ||
  (key === 'predict_epsilon' && value === true)

/**
 * A scheduler for one run of `steps` steps. `config` is the parsed scheduler_config.json, of this class or another:
 * what is missing has diffusers' default for `className`. Throws bad-model when it holds a key that no scheduler knows
 * or a value that this one cannot honour, bad-input when the number of steps or an option is impossible.
 */
export function createScheduler(
  config: unknown,
  className: string,
  steps: number,
  options: SchedulerOptions = {},
): Scheduler {
  const found = isSchedulerClass(className) ? kinds[className] : undefined
  if (!found)
    throw new ProblemError(
      'bad-model',
      `The scheduler ${className} is not supported. Supported: ${Object.keys(kinds).join(', ')}.`,
      { field: '_class_name', file: 'scheduler_config.json' },
    )
  for (const [option, classes] of Object.entries(ownOptions))
    if (options[option as keyof SchedulerOptions] !== undefined && !classes.some((name) => name === className))
      throw new ProblemError('bad-input', `${className} takes no ${option}.`, { field: option })
  const entries = z.record(z.string(), z.unknown()).safeParse(config)
  if (!entries.success) throw refusal('it is not a JSON object.', '')
  const used = ownEntries(found, entries.data)
  const trainSteps = Number(used['num_train_timesteps'] ?? 1000)
  if (!Number.isInteger(steps) || steps < 1 || steps > trainSteps)
    throw new ProblemError(
      'bad-input',
      `The number of steps is a whole number from 1 to ${trainSteps}, not ${steps}.`,
      {
        field: 'numInferenceSteps',
      },
    )
  return found.create(used, steps, options)
}

/** The entries for this class; those that only another class knows are left out, as diffusers' from_config does. */
function ownEntries(found: Kind, config: Record<string, unknown>): Record<string, unknown> {
  const defaulted = z.array(z.string()).catch([]).parse(config['_use_default_values'])
  const used: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(config)) {
    if (key.startsWith('_') || defaulted.includes(key)) continue
    if (found.keys.includes(key)) used[key] = value
    else if (!knownKeys.has(key) && !isHarmlessRelic(key, value))
      throw refusal(`the key ${key} is not known to any supported scheduler. Remove it if it is a mistake.`, key)
  }
  return used
}
