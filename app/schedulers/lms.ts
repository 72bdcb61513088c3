import { z } from 'zod'
import { weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import {
  betaFields,
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

export const lmsConfig = z.object({
  ...betaFields(0.0001, 0.02, 'linear', commonSchedules),
  ...sigmaFields,
  prediction_type: predictionField,
  ...spacingFields('linspace'),
})

/**
 * Linear multistep of order 4 in sigma (Adams-Bashforth with uneven steps, from k-diffusion).
 * Source: `diffusers/src/diffusers/schedulers/scheduling_lms_discrete.py@58eb52c`.
 */
export function createLms(config: z.infer<typeof lmsConfig>, steps: number): Scheduler {
  requireOneSpacing(config)
  const trained = trainingSigmas(cumulativeAlphas(trainingBetas({ ...config, rescale_betas_zero_snr: false })))
  const grid = fractionalTimesteps(config, steps)
  const plain = sigmasAt(trained, grid)
  // Karras spacing takes no other ends here, in the reference.
  const ends = config.use_karras_sigmas ? { ...config, sigma_min: null, sigma_max: null } : config
  const respaced = respacedSigmas(ends, plain[0] ?? NaN, plain[plain.length - 1] ?? NaN, steps)
  const sigmas = Float32Array.from([...(respaced ?? plain), 0])
  const sigmaAt = (index: number) => sigmas[index] ?? NaN
  const timesteps = (respaced?.map((sigma) => timestepOf(sigma, trained)) ?? grid).map(Math.fround)

  let slopes: Float32Array[] = [] // newest first

  return {
    timesteps,
    initNoiseSigma: initialSigma(config, sigmas),
    order: 1,
    learnsVariance: false,
    scaleModelInput: (sample, index) => scaledInput(sample, sigmaAt(index)),
    step(modelOutput, index, sample) {
      const sigma = sigmaAt(index)
      const original = predictedOriginalAt(config.prediction_type, modelOutput, sample, sigma)
      slopes = [slopeAt(sample, original, sigma), ...slopes.slice(0, 3)]
      const known = slopes.map((_, k) => sigmaAt(index - k))
      const terms = slopes.map((slope, k) => [integratedBasis(known, k, sigma, sigmaAt(index + 1)), slope] as const)
      return { prevSample: weightedSum([1, sample], ...terms), predOriginalSample: original }
    },
    addNoise: (original, noise, index) => weightedSum([1, original], [sigmaAt(index), noise]),
  }
}

/**
 * The integral from `from` to `to` of the Lagrange polynomial that is 1 at known[k] and 0 at the others. Its degree is
 * at most 3, for which Gauss's two points are exact.
 */
function integratedBasis(known: readonly number[], k: number, from: number, to: number): number {
  const at = known[k] ?? NaN
  const basis = (tau: number) =>
    known.reduce((product, s, j) => (j === k ? product : (product * (tau - s)) / (at - s)), 1)
  const middle = (from + to) / 2
  const reach = (to - from) / 2
  return reach * (basis(middle - reach / Math.sqrt(3)) + basis(middle + reach / Math.sqrt(3)))
}
