import { z } from 'zod'
import { withFiniteSigma } from './alphas.ts'
import { weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import { betaFields, commonSchedules, flag, spacingFields } from './config.ts'
import { predictedOriginalAt } from './prediction.ts'
import type { Scheduler } from './scheduler.ts'
import { initialSigma, scaledInput, slopeAt } from './sigma-scheduler.ts'
import { sigmasAt, trainingSigmas } from './sigmas.ts'
import { fractionalTimesteps } from './timesteps.ts'

export const eulerAncestralConfig = z.object({
  ...betaFields(0.0001, 0.02, 'linear', commonSchedules),
  prediction_type: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
  ...spacingFields('linspace'),
  rescale_betas_zero_snr: flag(false),
})

/**
 * Euler steps that go down further than needed and add fresh noise (k-diffusion's ancestral sampler).
 * Source: `diffusers/src/diffusers/schedulers/scheduling_euler_ancestral_discrete.py@58eb52c`.
 */
export function createEulerAncestral(config: z.infer<typeof eulerAncestralConfig>, steps: number): Scheduler {
  const alphas = withFiniteSigma(cumulativeAlphas(trainingBetas(config)), config.rescale_betas_zero_snr)
  const timesteps = fractionalTimesteps(config, steps)
  const sigmas = Float32Array.from([...sigmasAt(trainingSigmas(alphas), timesteps), 0])
  const sigmaAt = (index: number) => sigmas[index] ?? NaN

  return {
    timesteps,
    initNoiseSigma: initialSigma(config, sigmas),
    order: 1,
    learnsVariance: false,
    scaleModelInput: (sample, index) => scaledInput(sample, sigmaAt(index)),
    step(modelOutput, index, sample, noise) {
      const from = sigmaAt(index)
      const to = sigmaAt(index + 1)
      const original = predictedOriginalAt(config.prediction_type, modelOutput, sample, from)
      const up = (to / from) * Math.sqrt(Math.max(0, from * from - to * to))
      const down = (to * to) / from // sqrt(to^2 - up^2)
      const slope = slopeAt(sample, original, from)
      const prevSample = weightedSum([1, sample], [down - from, slope], [up, noise()])
      return { prevSample, predOriginalSample: original }
    },
    addNoise: (original, noise, index) => weightedSum([1, original], [sigmaAt(index), noise]),
  }
}
