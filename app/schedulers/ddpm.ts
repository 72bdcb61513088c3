import { z } from 'zod'
import { betaBetween, noisyAt, requireSignal } from './alphas.ts'
import { weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import {
  betaFields,
  clipFields,
  commonSchedules,
  flag,
  predictionField,
  refusal,
  spacingFields,
  thresholdFields,
} from './config.ts'
import { limited, predictedOriginal, splitVariance } from './prediction.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'
import { requireFalling, requireTrained, wholeTimesteps } from './timesteps.ts'

export const ddpmConfig = z.object({
  ...betaFields(0.0001, 0.02, 'linear', [...commonSchedules, 'laplace', 'sigmoid']),
  variance_type: z
    .enum(['fixed_small', 'fixed_small_log', 'fixed_large', 'fixed_large_log', 'learned', 'learned_range'])
    .nullable()
    .default('fixed_small')
    .transform((value) => value ?? 'fixed_small'),
  ...clipFields(true),
  prediction_type: predictionField,
  ...thresholdFields,
  ...spacingFields('leading'),
  rescale_betas_zero_snr: flag(false),
})

/**
 * The deviation of one element's noise. `small` is the posterior's variance, `large` its upper bound, beta;
 * `predicted` is what the network says: a variance, or a place between the two in logarithms.
 */
export function deviationOf(type: string, small: number, large: number, predicted: number): number {
  if (type === 'learned') return Math.sqrt(predicted)
  if (type !== 'learned_range') return Math.sqrt(type === 'fixed_large' ? large : small)
  const place = (predicted + 1) / 2
  return Math.exp(0.5 * (place * Math.log(large) + (1 - place) * Math.log(small)))
}

/** `noise` times its deviation, which the network may have predicted for each element. */
export function scaledNoise(
  type: string,
  small: number,
  large: number,
  noise: Float32Array,
  predicted: Float32Array | undefined,
): Float32Array {
  if (type.startsWith('learned')) {
    if (!predicted) throw refusal(`variance_type ${type} needs a model that predicts a variance.`, 'variance_type')
    return noise.map((value, i) => value * deviationOf(type, small, large, predicted[i] ?? NaN))
  }
  const deviation = deviationOf(type, small, large, 0)
  return noise.map((value) => value * deviation)
}

/**
 * Denoising diffusion probabilistic models, Ho, Jain and Abbeel, arXiv 2006.11239.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_ddpm.py@58eb52c`.
 */
export function createDdpm(config: z.infer<typeof ddpmConfig>, steps: number, options: SchedulerOptions): Scheduler {
  const { prediction_type: type, variance_type: varianceType } = config
  if (varianceType === 'fixed_large_log')
    throw refusal(
      'variance_type fixed_large_log has no usable meaning in the reference: use fixed_large.',
      'variance_type',
    )
  const alphas = cumulativeAlphas(trainingBetas(config))
  if (options.timesteps) requireFalling(options.timesteps, steps)
  const timesteps = options.timesteps ?? wholeTimesteps(config, steps)
  requireTrained(timesteps, config.num_train_timesteps)
  requireSignal(type, alphas, timesteps)
  const batch = options.batch ?? 1

  return {
    timesteps,
    initNoiseSigma: 1,
    order: 1,
    learnsVariance: varianceType.startsWith('learned'),
    scaleModelInput: (sample) => sample,
    step(modelOutput, index, sample, noise) {
      const { mean, variance } = splitVariance(modelOutput, sample.length, batch)
      const timestep = timesteps[index] ?? NaN
      const previous = timesteps[index + 1]
      const alpha = alphas[timestep] ?? NaN
      const alphaPrev = previous === undefined ? 1 : (alphas[previous] ?? NaN)
      const beta = betaBetween(alpha, alphaPrev)
      const clean = predictedOriginal(type, mean, sample, Math.sqrt(alpha), Math.sqrt(1 - alpha))
      const original = limited(config, clean, batch)
      // Formula 7 of the paper: the posterior's mean and variance.
      const terms: [number, Float32Array][] = [
        [(Math.sqrt(alphaPrev) * beta) / (1 - alpha), original],
        [(Math.sqrt(alpha / alphaPrev) * (1 - alphaPrev)) / (1 - alpha), sample],
      ]
      if (timestep > 0) {
        const small = Math.max(((1 - alphaPrev) / (1 - alpha)) * beta, 1e-20)
        terms.push([1, scaledNoise(varianceType, small, beta, noise(), variance)])
      }
      return { prevSample: weightedSum(...terms), predOriginalSample: original }
    },
    addNoise: (original, noise, index) => noisyAt(alphas[timesteps[index] ?? -1] ?? NaN, original, noise),
    addFullNoise: (original, noise) => noisyAt(alphas.at(-1) ?? NaN, original, noise),
  }
}
