import { z } from 'zod'
import { withFiniteSigma } from './alphas.ts'
import { linspaceFloat32, weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import { betaFields, commonSchedules, flag, requireOneSpacing, sigmaFields, spacingFields } from './config.ts'
import { predictedOriginalAt } from './prediction.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'
import { initialSigma, scaledInput, slopeAt } from './sigma-scheduler.ts'
import { respacedSigmas, sigmasAt, timestepOf, trainingSigmas } from './sigmas.ts'
import { fractionalTimesteps } from './timesteps.ts'

export const eulerConfig = z.object({
  ...betaFields(0.0001, 0.02, 'linear', commonSchedules),
  prediction_type: z.enum(['epsilon', 'sample', 'original_sample', 'v_prediction']).default('epsilon'),
  interpolation_type: z.enum(['linear', 'log_linear']).default('linear'),
  ...sigmaFields,
  ...spacingFields('linspace'),
  timestep_type: z.enum(['discrete', 'continuous']).default('discrete'),
  rescale_betas_zero_snr: flag(false),
  final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
})

type Config = z.infer<typeof eulerConfig>

function schedule(config: Config, trained: Float32Array, steps: number): { timesteps: number[]; sigmas: Float32Array } {
  const grid = fractionalTimesteps(config, steps)
  const logOf = (sigma: number | undefined) => Math.fround(Math.log(sigma ?? NaN))
  const plain =
    config.interpolation_type === 'linear'
      ? sigmasAt(trained, grid)
      : [...linspaceFloat32(logOf(trained[trained.length - 1]), logOf(trained[0]), steps + 1).map(Math.exp)]
  const respaced = respacedSigmas(config, plain[0] ?? NaN, plain[plain.length - 1] ?? NaN, steps)
  const last = config.final_sigmas_type === 'zero' ? 0 : (trained[0] ?? 0)
  const sigmas = Float32Array.from([...(respaced ?? plain), last])
  if (config.timestep_type === 'continuous' && config.prediction_type === 'v_prediction')
    return { sigmas, timesteps: Array.from(sigmas.slice(0, -1).map((sigma) => 0.25 * Math.log(sigma))) }
  return { sigmas, timesteps: (respaced?.map((sigma) => timestepOf(sigma, trained)) ?? grid).map(Math.fround) }
}

/**
 * Euler steps of the probability flow, algorithm 2 of Karras et al., arXiv 2206.00364, with churn where it is asked
 * for.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_euler_discrete.py@58eb52c`.
 */
export function createEuler(config: Config, steps: number, options: SchedulerOptions): Scheduler {
  requireOneSpacing(config)
  const alphas = withFiniteSigma(cumulativeAlphas(trainingBetas(config)), config.rescale_betas_zero_snr)
  const { timesteps, sigmas } = schedule(config, trainingSigmas(alphas), steps)
  const type = config.prediction_type === 'original_sample' ? 'sample' : config.prediction_type
  const sigmaAt = (index: number) => sigmas[index] ?? NaN
  const { sChurn = 0, sNoise = 1, sTmin = 0, sTmax = Infinity } = options.churn ?? {}
  const most = Math.min(sChurn / timesteps.length, Math.SQRT2 - 1)

  return {
    timesteps,
    initNoiseSigma: initialSigma(config, sigmas),
    order: 1,
    learnsVariance: false,
    scaleModelInput: (sample, index) => scaledInput(sample, sigmaAt(index)),
    step(modelOutput, index, given, noise) {
      const sigma = sigmaAt(index)
      const gamma = sTmin <= sigma && sigma <= sTmax ? most : 0
      const raised = sigma * (gamma + 1)
      const sample =
        gamma > 0 ? weightedSum([1, given], [sNoise * Math.sqrt(raised * raised - sigma * sigma), noise()]) : given
      // The reference takes v_prediction at the sigma before the noise was added, all else at the one after it.
      const original = predictedOriginalAt(type, modelOutput, sample, type === 'v_prediction' ? sigma : raised)
      const slope = slopeAt(sample, original, raised)
      return {
        prevSample: weightedSum([1, sample], [sigmaAt(index + 1) - raised, slope]),
        predOriginalSample: original,
      }
    },
    addNoise: (original, noise, index) => weightedSum([1, original], [sigmaAt(index), noise]),
  }
}
