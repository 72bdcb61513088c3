import { z } from 'zod'
import { clamped, weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import {
  betaFields,
  clipFields,
  commonSchedules,
  predictionField,
  requireOneSpacing,
  sigmaFields,
  spacingFields,
} from './config.ts'
import { predictedOriginalAt } from './prediction.ts'
import type { Scheduler } from './scheduler.ts'
import { initialSigma, scaledInput, slopeAt } from './sigma-scheduler.ts'
import { respacedSigmas, sigmasAt, timestepOf, trainingSigmas } from './sigmas.ts'
import { fractionalTimesteps } from './timesteps.ts'

export const heunConfig = z.object({
  ...betaFields(0.00085, 0.012, 'linear', [...commonSchedules, 'exp']),
  prediction_type: predictionField,
  ...sigmaFields,
  ...clipFields(false),
  ...spacingFields('linspace'),
})

/** Every value but the first, twice. */
const doubled = (values: readonly number[]): number[] =>
  values.flatMap((value, i) => (i === 0 ? [value] : [value, value]))

/**
 * Heun's second-order steps, algorithm 1 of Karras et al., arXiv 2206.00364: every step but the last is evaluated again
 * at its end. Source: `diffusers/src/diffusers/schedulers/scheduling_heun_discrete.py@58eb52c`.
 */
export function createHeun(config: z.infer<typeof heunConfig>, steps: number): Scheduler {
  requireOneSpacing(config)
  const trained = trainingSigmas(cumulativeAlphas(trainingBetas({ ...config, rescale_betas_zero_snr: false })))
  const grid = fractionalTimesteps(config, steps)
  const plain = sigmasAt(trained, grid)
  const respaced = respacedSigmas(config, plain[0] ?? NaN, plain[plain.length - 1] ?? NaN, steps)
  const sigmas = Float32Array.from([...doubled(respaced ?? plain), 0])
  const sigmaAt = (index: number) => sigmas[index] ?? NaN
  const timesteps = doubled(respaced?.map((sigma) => timestepOf(sigma, trained)) ?? grid).map(Math.fround)

  let begun: { sample: Float32Array; slope: Float32Array; dt: number } | undefined

  return {
    timesteps,
    initNoiseSigma: initialSigma(config, sigmas),
    order: 2,
    learnsVariance: false,
    scaleModelInput: (sample, index) => scaledInput(sample, sigmaAt(index)),
    step(modelOutput, index, sample) {
      // The second evaluation stands at the sigma where the first one arrived, which is the array's own at both
      // indices.
      const sigma = sigmaAt(index)
      const clean = predictedOriginalAt(config.prediction_type, modelOutput, sample, sigma)
      const original = config.clip_sample ? clamped(clean, config.clip_sample_range) : clean
      const slope = slopeAt(sample, original, sigma)
      if (begun) {
        const { dt } = begun
        const prevSample = weightedSum([1, begun.sample], [dt / 2, begun.slope], [dt / 2, slope])
        begun = undefined
        return { prevSample, predOriginalSample: original }
      }
      const dt = sigmaAt(index + 1) - sigma
      begun = { sample, slope, dt }
      return { prevSample: weightedSum([1, sample], [dt, slope]), predOriginalSample: original }
    },
    addNoise: (original, noise, index) => weightedSum([1, original], [sigmaAt(index), noise]),
  }
}
