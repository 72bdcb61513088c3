import { z } from 'zod'
import { linspace, roundHalfEven } from '#app/tensor/numpy.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { betaBetween, noisyAt } from './alphas.ts'
import { clamped, weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import { clipFields } from './config.ts'
import { scaledNoise } from './ddpm.ts'
import { predictedOriginal, splitVariance } from './prediction.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'

export const unclipConfig = z.object({
  num_train_timesteps: z.int().min(2).max(1_000_000).default(1000),
  variance_type: z.enum(['fixed_small_log', 'learned_range']).default('fixed_small_log'),
  ...clipFields(true),
  prediction_type: z.enum(['epsilon', 'sample']).default('epsilon'),
  beta_schedule: z.enum(['squaredcos_cap_v2']).default('squaredcos_cap_v2'),
})

/**
 * The DDPM variant of unCLIP (arXiv 2204.06125), used by Kandinsky's prior.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_unclip.py@58eb52c`.
 */
export function createUnclip(
  config: z.infer<typeof unclipConfig>,
  steps: number,
  options: SchedulerOptions,
): Scheduler {
  if (steps < 2)
    throw new ProblemError('bad-input', `UnCLIPScheduler needs at least 2 steps, not ${steps}.`, {
      field: 'numInferenceSteps',
    })
  const betas = trainingBetas({
    ...config,
    beta_start: 0,
    beta_end: 0,
    trained_betas: null,
    rescale_betas_zero_snr: false,
  })
  const alphas = cumulativeAlphas(betas)
  const timesteps = linspace(0, config.num_train_timesteps - 1, steps)
    .map(roundHalfEven)
    .reverse()
  const batch = options.batch ?? 1

  return {
    timesteps,
    initNoiseSigma: 1,
    order: 1,
    learnsVariance: config.variance_type === 'learned_range',
    scaleModelInput: (sample) => sample,
    step(modelOutput, index, sample, noise) {
      const { mean, variance } = splitVariance(modelOutput, sample.length, batch)
      const timestep = timesteps[index] ?? NaN
      const previous = timesteps[index + 1] ?? timestep - 1
      const alpha = alphas[timestep] ?? NaN
      const alphaPrev = previous < 0 ? 1 : (alphas[previous] ?? NaN)
      const beta = previous === timestep - 1 ? (betas[timestep] ?? NaN) : betaBetween(alpha, alphaPrev)
      const clean = predictedOriginal(config.prediction_type, mean, sample, Math.sqrt(alpha), Math.sqrt(1 - alpha))
      const original = config.clip_sample ? clamped(clean, config.clip_sample_range) : clean
      const terms: [number, Float32Array][] = [
        [(Math.sqrt(alphaPrev) * beta) / (1 - alpha), original],
        [(Math.sqrt(1 - beta) * (1 - alphaPrev)) / (1 - alpha), sample],
      ]
      if (timestep > 0) {
        const small = Math.max(((1 - alphaPrev) / (1 - alpha)) * beta, 1e-20)
        terms.push([1, scaledNoise(config.variance_type, small, beta, noise(), variance)])
      }
      return { prevSample: weightedSum(...terms), predOriginalSample: original }
    },
    addNoise: (original, noise, index) => noisyAt(alphas[timesteps[index] ?? -1] ?? NaN, original, noise),
    addFullNoise: (original, noise) => noisyAt(alphas.at(-1) ?? NaN, original, noise),
  }
}
