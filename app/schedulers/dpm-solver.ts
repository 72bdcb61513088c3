import { z } from 'zod'
import { linspace } from '#app/tensor/numpy.ts'
import { withFiniteSigma } from './alphas.ts'
import { weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import {
  betaFields,
  commonSchedules,
  flag,
  refusal,
  requireOneSpacing,
  sigmaFields,
  spacingFields,
  thresholdFields,
} from './config.ts'
import { halfLogSnr, requireStaticShift, signalAndNoise, wholeTimestep } from './multistep-sigmas.ts'
import { predictedEpsilon, predictedOriginal, splitVariance, thresholded } from './prediction.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'
import { respacedSigmas, sigmasAt, timestepOf, trainingSigmas } from './sigmas.ts'
import { multistepTimesteps, requireTrained } from './timesteps.ts'

export const dpmSolverConfig = z.object({
  ...betaFields(0.0001, 0.02, 'linear', commonSchedules),
  solver_order: z.int().min(1).max(3).default(2),
  prediction_type: z.enum(['epsilon', 'sample', 'v_prediction', 'flow_prediction']).default('epsilon'),
  ...thresholdFields,
  // The reference reads other solvers' names as its own nearest: deis, logrho, bh1, bh2.
  algorithm_type: z
    .enum(['dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++', 'deis'])
    .default('dpmsolver++'),
  solver_type: z.enum(['midpoint', 'heun', 'logrho', 'bh1', 'bh2']).default('midpoint'),
  lower_order_final: flag(true),
  euler_at_final: flag(false),
  ...sigmaFields,
  use_lu_lambdas: flag(false),
  use_flow_sigmas: flag(false),
  flow_shift: z.number().positive().default(1),
  final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
  lambda_min_clipped: z
    .number()
    .or(z.literal(-Infinity))
    .nullish()
    .transform((value) => value ?? -Infinity),
  variance_type: z.enum(['learned', 'learned_range']).nullable().catch(null).default(null),
  ...spacingFields('linspace'),
  rescale_betas_zero_snr: flag(false),
  use_dynamic_shifting: flag(false),
  time_shift_type: z.enum(['exponential', 'linear']).default('exponential'),
})

type Config = z.infer<typeof dpmSolverConfig>

function requireHonoured(config: Config): void {
  requireOneSpacing(config)
  requireStaticShift(config)
  const dataPrediction = isDataPrediction(config)
  if (!dataPrediction && config.final_sigmas_type === 'zero')
    throw refusal(`algorithm_type ${config.algorithm_type} needs final_sigmas_type sigma_min.`, 'final_sigmas_type')
  if (!dataPrediction && config.prediction_type === 'flow_prediction')
    throw refusal(`algorithm_type ${config.algorithm_type} cannot use flow_prediction.`, 'prediction_type')
  if (config.algorithm_type === 'sde-dpmsolver' && config.solver_order === 3)
    throw refusal('algorithm_type sde-dpmsolver has no solver_order 3; use 2.', 'solver_order')
  const spacings = [config.use_karras_sigmas, config.use_exponential_sigmas, config.use_beta_sigmas]
  if (spacings.concat(config.use_lu_lambdas, config.use_flow_sigmas).filter(Boolean).length > 1)
    throw refusal('use_lu_lambdas and use_flow_sigmas allow no other spacing of sigmas.', 'use_flow_sigmas')
}

const isDataPrediction = (config: Config) => !['dpmsolver', 'sde-dpmsolver'].includes(config.algorithm_type)

function schedule(config: Config, trained: Float32Array, steps: number): { timesteps: number[]; sigmas: Float32Array } {
  const trainSteps = config.num_train_timesteps
  const largest = trained[trainSteps - 1] ?? NaN
  const smallest = trained[0] ?? NaN
  const last = config.final_sigmas_type === 'zero' ? 0 : smallest
  const spaced = config.use_lu_lambdas
    ? linspace(Math.fround(Math.log(largest)), Math.fround(Math.log(smallest)), steps).map(Math.exp)
    : respacedSigmas(config, largest, smallest, steps)
  if (spaced) {
    const round = (config.use_karras_sigmas || config.use_lu_lambdas) && config.beta_schedule !== 'squaredcos_cap_v2'
    const timesteps = spaced.map((sigma) => wholeTimestep(timestepOf(sigma, trained), round))
    return { timesteps, sigmas: Float32Array.from([...spaced, last]) }
  }
  if (config.use_flow_sigmas) {
    const { flow_shift: shift } = config
    const linear = linspace(1, 1 / trainSteps, steps + 1).map((alpha) => 1 - alpha)
    const sigmas = linear
      .map((sigma) => (shift * sigma) / (1 + (shift - 1) * sigma))
      .reverse()
      .slice(0, -1)
    return {
      timesteps: sigmas.map((sigma) => Math.trunc(sigma * trainSteps)),
      sigmas: Float32Array.from([...sigmas, last]),
    }
  }
  const clipped = trained.filter((sigma) => -Math.log(sigma) < config.lambda_min_clipped).length
  const timesteps = multistepTimesteps(config, steps, trainSteps - clipped)
  requireTrained(timesteps, trainSteps)
  return { timesteps, sigmas: Float32Array.from([...sigmasAt(trained, timesteps), last]) }
}

/**
 * What one step from lambda s to t by h adds: factors of the sample, of the outputs' divided differences, of the noise.
 */
function coefficients(config: Config, alphaRatio: number, sigmaRatio: number, alpha: number, sigma: number, h: number) {
  const heun = config.solver_type === 'heun'
  // At h = 0 nothing moves, and the quotients below would be 0/0.
  const part = (value: number) => (h === 0 ? 0 : value)
  switch (config.algorithm_type) {
    case 'dpmsolver': {
      const first = -sigma * Math.expm1(h)
      const exact = part(-sigma * (Math.expm1(h) / h - 1))
      const third = part(-sigma * ((Math.expm1(h) - h) / h ** 2 - 0.5))
      return { sample: alphaRatio, first, second: heun ? exact : first / 2, exact, third, noise: 0 }
    }
    case 'sde-dpmsolver': {
      const first = -2 * sigma * Math.expm1(h)
      const exact = part(-2 * sigma * (Math.expm1(h) / h - 1))
      const noise = sigma * Math.sqrt(Math.expm1(2 * h))
      return { sample: alphaRatio, first, second: heun ? exact : first / 2, exact, third: 0, noise }
    }
    case 'sde-dpmsolver++': {
      const first = -alpha * Math.expm1(-2 * h)
      const exact = part(alpha * (Math.expm1(-2 * h) / (2 * h) + 1))
      const third = part(alpha * ((-Math.expm1(-2 * h) - 2 * h) / (2 * h) ** 2 - 0.5))
      const noise = sigma * Math.sqrt(-Math.expm1(-2 * h))
      return { sample: sigmaRatio * Math.exp(-h), first, second: heun ? exact : first / 2, exact, third, noise }
    }
    default: {
      const first = -alpha * Math.expm1(-h)
      const exact = part(alpha * (Math.expm1(-h) / h + 1))
      const third = part(-alpha * ((Math.expm1(-h) + h) / h ** 2 - 0.5))
      return { sample: sigmaRatio, first, second: heun ? exact : first / 2, exact, third, noise: 0 }
    }
  }
}

/**
 * DPM-Solver and DPM-Solver++, multistep, ordinary and stochastic: Lu et al., arXiv 2206.00927 and 2211.01095.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_dpmsolver_multistep.py@58eb52c`.
 */
export function createDpmSolver(config: Config, steps: number, options: SchedulerOptions): Scheduler {
  requireHonoured(config)
  const alphas = withFiniteSigma(cumulativeAlphas(trainingBetas(config)), config.rescale_betas_zero_snr)
  const { timesteps, sigmas } = schedule(config, trainingSigmas(alphas), steps)
  const batch = options.batch ?? 1
  const sigmaAt = (index: number) => sigmas[index] ?? NaN
  const lambdaAt = (index: number) => halfLogSnr(config, sigmaAt(index))
  const short = config.lower_order_final && timesteps.length < 15

  function predictions(
    output: Float32Array,
    index: number,
    sample: Float32Array,
  ): [solver: Float32Array, clean: Float32Array] {
    const [alpha, sigma] = signalAndNoise(config, sigmaAt(index))
    const mean = config.variance_type ? splitVariance(output, sample.length, batch).mean : output
    const type = config.prediction_type
    const plain =
      type === 'flow_prediction'
        ? weightedSum([1, sample], [-sigmaAt(index), mean])
        : predictedOriginal(type, mean, sample, alpha, sigma)
    const clean = config.thresholding ? thresholded(config, plain, batch) : plain
    if (isDataPrediction(config) || type === 'flow_prediction') return [clean, clean]
    return [
      predictedEpsilon(config.thresholding ? 'sample' : type, config.thresholding ? clean : mean, sample, alpha, sigma),
      clean,
    ]
  }

  let outputs: Float32Array[] = [] // newest first, at most solver_order

  function orderAt(index: number): number {
    const fromEnd = timesteps.length - 1 - index
    if (fromEnd === 0 && (config.euler_at_final || short || config.final_sigmas_type === 'zero')) return 1
    return Math.min(outputs.length, fromEnd === 1 && short ? 2 : 3)
  }

  function outputTerms(index: number, h: number, c: ReturnType<typeof coefficients>): [number, Float32Array][] {
    const [m0, m1, m2] = outputs
    const order = orderAt(index)
    if (!m0) return []
    if (!m1 || order === 1) return [[c.first, m0]]
    const r0 = (lambdaAt(index) - lambdaAt(index - 1)) / h
    if (!m2 || order === 2) return [[c.first + c.second / r0, m0], [-c.second / r0, m1]] // prettier-ignore
    const r1 = (lambdaAt(index - 1) - lambdaAt(index - 2)) / h
    // D1 = d0 + r0 / (r0 + r1) (d0 - d1) and D2 = (d0 - d1) / (r0 + r1), with d0 = (m0 - m1) / r0 and d1 = (m1 - m2) /
    // r1.
    const perD0 = (c.exact * (1 + r0 / (r0 + r1)) + c.third / (r0 + r1)) / r0
    const perD1 = -(c.exact * (r0 / (r0 + r1)) + c.third / (r0 + r1)) / r1
    return [[c.first + perD0, m0], [perD1 - perD0, m1], [-perD1, m2]] // prettier-ignore
  }

  return {
    timesteps,
    initNoiseSigma: 1,
    order: 1,
    learnsVariance: false,
    scaleModelInput: (sample) => sample,
    step(modelOutput, index, sample, noise) {
      const [output, clean] = predictions(modelOutput, index, sample)
      outputs = [output, ...outputs.slice(0, config.solver_order - 1)]
      const [alphaFrom, sigmaFrom] = signalAndNoise(config, sigmaAt(index))
      const [alpha, sigma] = signalAndNoise(config, sigmaAt(index + 1))
      const h = lambdaAt(index + 1) - lambdaAt(index)
      const c = coefficients(config, alpha / alphaFrom, sigma / sigmaFrom, alpha, sigma, h)
      const terms: [number, Float32Array][] = [[c.sample, sample], ...outputTerms(index, h, c)]
      if (config.algorithm_type.startsWith('sde')) terms.push([c.noise, noise()])
      return { prevSample: weightedSum(...terms), predOriginalSample: clean }
    },
    addNoise(original, noise, index) {
      const [alpha, sigma] = signalAndNoise(config, sigmaAt(index))
      return weightedSum([alpha, original], [sigma, noise])
    },
  }
}
