import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { betaBetween, noisyAt, requireSignal } from './alphas.ts'
import { weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import { betaFields, commonSchedules, flag, predictionField } from './config.ts'
import { distilledTimesteps } from './lcm.ts'
import { predictedEpsilon, predictedOriginal } from './prediction.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'

/** The reference's class takes LCM's other keys too, clipping and spacing among them, and reads none of them. */
export const tcdConfig = z.object({
  ...betaFields(0.00085, 0.012, 'scaled_linear', commonSchedules),
  original_inference_steps: z.int().positive().default(50),
  prediction_type: predictionField,
  rescale_betas_zero_snr: flag(false),
})

/**
 * Trajectory consistency distillation, Zheng et al., arXiv 2402.19159: each step goes down to (1 - eta) of the next
 * timestep, and is brought up to that one with fresh noise.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_tcd.py@58eb52c`.
 */
export function createTcd(config: z.infer<typeof tcdConfig>, steps: number, options: SchedulerOptions): Scheduler {
  const alphas = cumulativeAlphas(trainingBetas(config))
  const timesteps = distilledTimesteps(config, steps, options)
  requireSignal(config.prediction_type, alphas, timesteps)
  const { eta = 0 } = options
  if (!(eta >= 0 && eta <= 1))
    throw new ProblemError('bad-input', `eta is a number from 0 to 1, not ${eta}.`, { field: 'eta' })
  const alphaAt = (timestep: number) => alphas[timestep] ?? NaN

  return {
    timesteps,
    initNoiseSigma: 1,
    order: 1,
    learnsVariance: false,
    scaleModelInput: (sample) => sample,
    step(modelOutput, index, sample, noise) {
      const alpha = alphaAt(timesteps[index] ?? NaN)
      const next = timesteps[index + 1] ?? 0
      // A product of float32 in the reference, whose rounding decides which timestep lies below.
      const low = alphaAt(Math.floor(Math.fround(Math.fround(1 - eta) * next)))
      const [signal, sigma] = [Math.sqrt(alpha), Math.sqrt(1 - alpha)]
      const original = predictedOriginal(config.prediction_type, modelOutput, sample, signal, sigma)
      const epsilon = predictedEpsilon(config.prediction_type, modelOutput, sample, signal, sigma)
      const noised = noisyAt(low, original, epsilon)
      if (eta === 0 || index === timesteps.length - 1) return { prevSample: noised, predOriginalSample: original }
      const added = betaBetween(alphaAt(next), low)
      return {
        prevSample: weightedSum([Math.sqrt(alphaAt(next) / low), noised], [Math.sqrt(added), noise()]),
        predOriginalSample: original,
      }
    },
    addNoise: (original, noise, index) => noisyAt(alphaAt(timesteps[index] ?? NaN), original, noise),
    addFullNoise: (original, noise) => noisyAt(alphas.at(-1) ?? NaN, original, noise),
  }
}
