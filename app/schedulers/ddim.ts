import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { betaBetween, noisyAt, requireSignal } from './alphas.ts'
import { weightedSum } from './arithmetic.ts'
import {
  betaFields,
  clipFields,
  commonSchedules,
  flag,
  predictionField,
  spacingFields,
  thresholdFields,
} from './config.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import { limited, predictedEpsilon, predictedOriginal } from './prediction.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'
import { requireTrained, wholeTimesteps } from './timesteps.ts'

export const ddimConfig = z.object({
  ...betaFields(0.0001, 0.02, 'linear', commonSchedules),
  ...clipFields(true),
  set_alpha_to_one: flag(true),
  ...spacingFields('leading'),
  prediction_type: predictionField,
  ...thresholdFields,
  rescale_betas_zero_snr: flag(false),
})

/**
 * Denoising diffusion implicit models, Song, Meng and Ermon, arXiv 2010.02502.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_ddim.py@58eb52c`.
 */
export function createDdim(config: z.infer<typeof ddimConfig>, steps: number, options: SchedulerOptions): Scheduler {
  const alphas = cumulativeAlphas(trainingBetas(config))
  const timesteps = wholeTimesteps(config, steps)
  requireTrained(timesteps, config.num_train_timesteps)
  requireSignal(config.prediction_type, alphas, timesteps)
  const { eta = 0, batch = 1 } = options
  if (!(eta >= 0 && eta <= 1))
    throw new ProblemError('bad-input', `eta is a number from 0 to 1, not ${eta}.`, { field: 'eta' })
  const finalAlpha = config.set_alpha_to_one ? 1 : (alphas[0] ?? 1)
  const stride = Math.floor(config.num_train_timesteps / steps)
  const alphaAt = (timestep: number) => (timestep < 0 ? finalAlpha : (alphas[timestep] ?? NaN))

  return {
    timesteps,
    initNoiseSigma: 1,
    order: 1,
    learnsVariance: false,
    scaleModelInput: (sample) => sample,
    step(modelOutput, index, sample, noise) {
      const timestep = timesteps[index] ?? NaN
      const alpha = alphaAt(timestep)
      // The reference steps back by a fixed stride, whichever spacing chose the timesteps.
      const alphaPrev = alphaAt(timestep - stride)
      const signal = Math.sqrt(alpha)
      const sigma = Math.sqrt(1 - alpha)
      const type = config.prediction_type
      const original = limited(config, predictedOriginal(type, modelOutput, sample, signal, sigma), batch)
      const epsilon = predictedEpsilon(type, modelOutput, sample, signal, sigma)
      // Formula 16, then formula 12 of the paper.
      const variance = ((1 - alphaPrev) / (1 - alpha)) * betaBetween(alpha, alphaPrev)
      const deviation = eta * Math.sqrt(Math.max(0, variance))
      const direction = Math.sqrt(Math.max(0, 1 - alphaPrev - deviation * deviation))
      const terms: [number, Float32Array][] = [
        [Math.sqrt(alphaPrev), original],
        [direction, epsilon],
      ]
      if (eta > 0) terms.push([deviation, noise()])
      return { prevSample: weightedSum(...terms), predOriginalSample: original }
    },
    addNoise: (original, noise, index) => noisyAt(alphaAt(timesteps[index] ?? NaN), original, noise),
    addFullNoise: (original, noise) => noisyAt(alphas.at(-1) ?? NaN, original, noise),
  }
}
