import { describe, expect, it } from 'vitest'
import { ProblemError } from '#app/contract/errors.ts'
import { createGenerator } from '#app/tensor/generator.ts'
import { betaQuantile } from './beta-quantile.ts'
import { schedulerKeys, schedulerTable, type SchedulerClass } from '#app/contract/schedulers.ts'
import { changedConfig, parseSchedulerConfig, readSchedulerConfig } from './config.ts'
import { createScheduler, keysOf } from './create.ts'

const schedulers = Object.entries(schedulerTable).map(([className, entry]) => ({ className, ...entry }))
const stableDiffusion = parseSchedulerConfig(`{
  "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
  "beta_start": 0.00085, "num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true,
  "steps_offset": 1, "trained_betas": null, "clip_sample": false
}`)
const ddim = (config: object) => () => createScheduler(config, 'DDIMScheduler', 10)
const noNoise = () => {
  throw new Error('drew noise')
}

const normal = (seed: number, count: number) => createGenerator(seed).normal([count]).data

describe('a checkpoint of Stable Diffusion under every scheduler of the menu', () => {
  const clean = normal(1, 64)
  const start = normal(2, 64)

  it.each(schedulers)('$label follows a model that knows the clean sample to it', ({ className, stochastic }) => {
    const config = {
      ...(stableDiffusion as object),
      ...(className === 'UnCLIPScheduler' ? { beta_schedule: undefined } : {}),
    }
    const scheduler = createScheduler(config, className, 25)
    let draws = 0
    let sample: Float32Array = start.map((value) => value * scheduler.initNoiseSigma)
    scheduler.timesteps.forEach((_, index) => {
      // addNoise tells the clean sample's and the noise's share at this step, so the true noise can be got from the
      // sample.
      const one = scheduler.addNoise(Float32Array.of(1), Float32Array.of(0), index)[0] ?? NaN
      const sigma = scheduler.addNoise(Float32Array.of(0), Float32Array.of(1), index)[0] ?? NaN
      const epsilon = sample.map((value, i) => (value - one * (clean[i] ?? NaN)) / sigma)
      const draw = () => normal(3 + draws++, 64)
      sample = scheduler.step(epsilon, index, sample, stochastic ? draw : noNoise).prevSample
    })
    expect(draws > 0).toBe(stochastic)
    const error = sample.reduce((max, value, i) => Math.max(max, Math.abs(value - (clean[i] ?? NaN))), 0)
    // What is left is the noise of the last timestep (0 to 1 of 1000), where the schedule ends above zero.
    expect(error).toBeLessThan(0.2)
  })
})

describe('createScheduler', () => {
  it('leaves the arrays that it is given as they are', () => {
    for (const { className } of schedulers) {
      const scheduler = createScheduler({}, className, 10)
      const sample = normal(1, 16)
      const output = normal(2, 16)
      const scaled = scheduler.scaleModelInput(sample, 0)
      scheduler.step(output, 0, sample, () => normal(3, 16))
      expect(scaled.length).toBe(16)
      expect(sample).toEqual(normal(1, 16))
      expect(output).toEqual(normal(2, 16))
    }
  })

  it('draws noise in DDIM only with eta', () => {
    const values = normal(1, 16)
    const plain = createScheduler(stableDiffusion, 'DDIMScheduler', 5)
    expect(() => plain.step(values, 0, values, noNoise)).not.toThrow()
    const random = createScheduler(stableDiffusion, 'DDIMScheduler', 5, { eta: 0.5 })
    expect(() => random.step(values, 0, values, noNoise)).toThrow('drew noise')
  })

  const refused: [what: string, create: () => unknown, field: string, message: RegExp][] = [
    ['a class that is not there: DEIS', () => createScheduler({}, 'DEISMultistepScheduler', 5), '_class_name', /is not supported/], // prettier-ignore
    ['rectified flow', () => createScheduler({}, 'FlowMatchEulerDiscreteScheduler', 5), '_class_name', /is not supported/], // prettier-ignore
    ['inversion', () => createScheduler({}, 'DDIMInverseScheduler', 5), '_class_name', /is not supported/],
    ['timesteps where they are not read', () => createScheduler({}, 'DDIMScheduler', 2, { timesteps: [9, 3] }), 'timesteps', /DDIMScheduler takes no timesteps/], // prettier-ignore
    ['churn elsewhere than in Euler', () => createScheduler({}, 'HeunDiscreteScheduler', 2, { churn: { sChurn: 1 } }), 'churn', /takes no churn/], // prettier-ignore
    ['timesteps that rise', () => createScheduler({}, 'DDPMScheduler', 2, { timesteps: [3, 9] }), 'timesteps', /9 does not lie below 3/], // prettier-ignore
    ['another number of timesteps', () => createScheduler({}, 'DDPMScheduler', 3, { timesteps: [9, 3] }), 'timesteps', /2 timesteps for 3 steps/], // prettier-ignore
    ['a part too small for its steps', () => createScheduler({}, 'TCDScheduler', 9, { strength: 0.1 }), 'numInferenceSteps', /at most 5 steps/], // prettier-ignore
    ['an unknown key', ddim({ beta_startt: 1 }), 'beta_startt', /the key beta_startt is not known/],
    ['an unknown value', ddim({ beta_schedule: 'cubic' }), 'beta_schedule', /cannot use beta_schedule "cubic"/],
    ['betas of another length', ddim({ trained_betas: [0.1, 0.2] }), 'trained_betas', /has 2 values/],
    ['predict_epsilon false', ddim({ predict_epsilon: false }), 'predict_epsilon', /not known/],
    ['no steps', () => createScheduler({}, 'DDIMScheduler', 0), 'numInferenceSteps', /from 1 to 1000, not 0/],
    ['too many steps', () => createScheduler({}, 'DDIMScheduler', 1001), 'numInferenceSteps', /from 1 to 1000/],
    ['steps behind the training', () => createScheduler({ steps_offset: 1 }, 'DDIMScheduler', 1000), 'numInferenceSteps', /reach timestep 1000/], // prettier-ignore
    [
      'more LCM steps than were distilled',
      () => createScheduler({}, 'LCMScheduler', 51),
      'numInferenceSteps',
      /at most 50/,
    ],
    ['eta above 1', () => createScheduler({}, 'DDIMScheduler', 5, { eta: 2 }), 'eta', /from 0 to 1/],
    ['noise prediction without signal', ddim({ rescale_betas_zero_snr: true, timestep_spacing: 'trailing' }), 'prediction_type', /without signal/], // prettier-ignore
    ['two spacings', () => createScheduler({ use_karras_sigmas: true, use_beta_sigmas: true }, 'EulerDiscreteScheduler', 5), 'use_karras_sigmas', /cannot be used together/], // prettier-ignore
    ['dynamic shifting', () => createScheduler({ use_dynamic_shifting: true }, 'UniPCMultistepScheduler', 5), 'use_dynamic_shifting', /not supported/], // prettier-ignore
    ['a config that is a list', () => createScheduler([], 'DDIMScheduler', 5), '', /not a JSON object/],
  ]
  it.each(refused)('refuses %s by name', (_, create, field, message) => {
    let error: unknown
    try {
      create()
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(ProblemError)
    expect((error as ProblemError).message).toMatch(message)
    expect((error as ProblemError).problem.field).toBe(field)
  })
})

describe('what a run changes in a checkpoint', () => {
  /** diffusers' documentation of AnimateDiff: DDIMScheduler.from_pretrained(model, subfolder="scheduler", ...). */
  const example = { clip_sample: false, timestep_spacing: 'linspace', beta_schedule: 'linear', steps_offset: 1 }

  it("gives the timesteps of diffusers' first AnimateDiff example", () => {
    const config = changedConfig(readSchedulerConfig(JSON.stringify(stableDiffusion)), example)
    const { timesteps } = createScheduler(config, 'DDIMScheduler', 25)
    expect(timesteps.slice(0, 4)).toEqual([999, 957, 916, 874])
    expect(timesteps.slice(-2)).toEqual([42, 0])
    // Without the changes they are leading, from 961 on.
    expect(createScheduler(stableDiffusion, 'DDIMScheduler', 25).timesteps[0]).toBe(961)
  })

  it('counts although the file calls the key a default', () => {
    const file = { _class_name: 'DDIMScheduler', _use_default_values: ['timestep_spacing', 'clip_sample'] }
    const { timesteps } = createScheduler(changedConfig(file, { timestep_spacing: 'trailing' }), 'DDIMScheduler', 10)
    expect(timesteps[0]).toBe(999)
  })

  it.each(schedulers)('$label reads the keys that the table says, and no other', ({ className, reads }) => {
    const read = schedulerKeys.filter((key) => keysOf(className as SchedulerClass).includes(key))
    expect([...read].sort()).toEqual([...reads].sort())
  })
})

describe('parseSchedulerConfig', () => {
  it('reads the -Infinity that Python writes, and leaves strings alone', () => {
    const text = '{"lambda_min_clipped": -Infinity, "_note": "-Infinity \\" NaN", "sigma_min": NaN}'
    expect(parseSchedulerConfig(text)).toEqual({
      lambda_min_clipped: -Infinity,
      _note: '-Infinity " NaN',
      sigma_min: null,
    })
  })

  it('says when the file is no JSON', () => {
    expect(() => parseSchedulerConfig('<html>')).toThrow(/^scheduler_config\.json is not JSON/)
  })
})

it('betaQuantile agrees with scipy.stats.beta.ppf', () => {
  const values = [
    [0.001, 1.855873851745199e-5],
    [0.1, 0.03958440558878085],
    [0.25, 0.17568037865269498],
    [0.5, 0.5],
    [0.8, 0.8770782495416671],
    [0.99, 0.9991387611784571],
  ] as const
  for (const [p, x] of values) expect(betaQuantile(p, 0.6, 0.6)).toBeCloseTo(x, 9)
})
