import { z } from 'zod'
import { linspace } from '#app/tensor/numpy.ts'
import { withFiniteSigma } from './alphas.ts'
import { weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import {
  betaFields,
  commonSchedules,
  flag,
  optionalNumber,
  refusal,
  requireOneSpacing,
  sigmaFields,
  spacingFields,
  thresholdFields,
} from './config.ts'
import { solveLinear } from './linear-system.ts'
import { halfLogSnr, requireStaticShift, signalAndNoise, wholeTimestep } from './multistep-sigmas.ts'
import { predictedEpsilon, predictedOriginal, thresholded } from './prediction.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'
import { respacedSigmas, sigmasAt, timestepOf, trainingSigmas } from './sigmas.ts'
import { multistepTimesteps, requireTrained } from './timesteps.ts'

export const unipcConfig = z.object({
  ...betaFields(0.0001, 0.02, 'linear', commonSchedules),
  solver_order: z.int().min(1).max(6).default(2),
  prediction_type: z.enum(['epsilon', 'sample', 'v_prediction', 'flow_prediction']).default('epsilon'),
  ...thresholdFields,
  predict_x0: flag(true),
  // The reference reads other solvers' names as bh2.
  solver_type: z.enum(['bh1', 'bh2', 'midpoint', 'heun', 'logrho']).default('bh2'),
  lower_order_final: flag(true),
  disable_corrector: z.array(z.int().min(0)).default([]),
  solver_p: z.null('another scheduler as predictor is not supported; set it to null').optional(),
  ...sigmaFields,
  use_flow_sigmas: flag(false),
  flow_shift: z.number().positive().default(1),
  ...spacingFields('linspace'),
  final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
  rescale_betas_zero_snr: flag(false),
  use_dynamic_shifting: flag(false),
  time_shift_type: z.enum(['exponential', 'linear']).default('exponential'),
  shift_terminal: optionalNumber,
})

type Config = z.infer<typeof unipcConfig>

function requireHonoured(config: Config): void {
  requireOneSpacing(config)
  requireStaticShift(config)
  if (config.shift_terminal !== null && !config.use_flow_sigmas)
    throw refusal('shift_terminal needs use_flow_sigmas.', 'shift_terminal')
  if (config.use_flow_sigmas && (config.use_exponential_sigmas || config.use_beta_sigmas))
    throw refusal('use_flow_sigmas allows use_karras_sigmas beside it and no other spacing.', 'use_flow_sigmas')
  if (!config.predict_x0 && config.prediction_type === 'flow_prediction')
    throw refusal('predict_x0 false cannot use flow_prediction.', 'predict_x0')
  if (!config.predict_x0 && config.final_sigmas_type === 'zero')
    throw refusal('predict_x0 false needs final_sigmas_type sigma_min.', 'predict_x0')
  if (!config.lower_order_final && config.solver_order > 1 && config.final_sigmas_type === 'zero')
    throw refusal('lower_order_final false needs final_sigmas_type sigma_min.', 'lower_order_final')
}

/** Sigmas of a rectified flow, shifted towards the noisy end and stretched to end at shift_terminal. */
function flowSigmas(config: Config, steps: number): number[] {
  const { flow_shift: shift, shift_terminal: terminal } = config
  const shifted = linspace(1, 1 / config.num_train_timesteps, steps + 1)
    .slice(0, -1)
    .map((sigma) => (shift * sigma) / (1 + (shift - 1) * sigma))
  const scale = (1 - (shifted[steps - 1] ?? NaN)) / (1 - (terminal ?? 0))
  const stretched = terminal ? shifted.map((sigma) => 1 - (1 - sigma) / scale) : shifted
  // Exactly 1 would have no signal, and an infinite lambda.
  return stretched.map((sigma, i) => (i === 0 && Math.abs(sigma - 1) < 1e-6 ? sigma - 1e-6 : sigma))
}

function schedule(config: Config, trained: Float32Array, steps: number): { timesteps: number[]; sigmas: Float32Array } {
  const trainSteps = config.num_train_timesteps
  const zero = config.final_sigmas_type === 'zero'
  const ended = (sigmas: number[]) => Float32Array.from([...sigmas, zero ? 0 : (sigmas[steps - 1] ?? NaN)])
  const spaced = respacedSigmas(config, trained[trainSteps - 1] ?? NaN, trained[0] ?? NaN, steps)
  if (config.use_flow_sigmas) {
    const sigmas = spaced?.map((sigma) => sigma / (sigma + 1)) ?? flowSigmas(config, steps)
    return { timesteps: sigmas.map((sigma) => Math.trunc(sigma * trainSteps)), sigmas: ended(sigmas) }
  }
  if (spaced) {
    const timesteps = spaced.map((sigma) => wholeTimestep(timestepOf(sigma, trained), config.use_karras_sigmas))
    return { timesteps, sigmas: ended(spaced) }
  }
  const timesteps = multistepTimesteps(config, steps, trainSteps)
  requireTrained(timesteps, trainSteps)
  return { timesteps, sigmas: Float32Array.from([...sigmasAt(trained, timesteps), zero ? 0 : (trained[0] ?? NaN)]) }
}

/**
 * UniPC: a predictor and a corrector of the same order from the same outputs. Zhao et al., arXiv 2302.04867.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_unipc_multistep.py@58eb52c`.
 */
export function createUnipc(config: Config, steps: number, options: SchedulerOptions): Scheduler {
  requireHonoured(config)
  const alphas = withFiniteSigma(cumulativeAlphas(trainingBetas(config)), config.rescale_betas_zero_snr)
  const { timesteps, sigmas } = schedule(config, trainingSigmas(alphas), steps)
  const batch = options.batch ?? 1
  const sigmaAt = (index: number) => sigmas[index] ?? NaN
  const lambdaAt = (index: number) => halfLogSnr(config, sigmaAt(index))

  function predictions(
    output: Float32Array,
    index: number,
    sample: Float32Array,
  ): [solver: Float32Array, clean: Float32Array] {
    const [alpha, sigma] = signalAndNoise(config, sigmaAt(index))
    const type = config.prediction_type
    if (type === 'flow_prediction') {
      const plain = weightedSum([1, sample], [-sigmaAt(index), output])
      const clean = config.thresholding ? thresholded(config, plain, batch) : plain
      return [clean, clean]
    }
    const plain = predictedOriginal(type, output, sample, alpha, sigma)
    if (!config.predict_x0) return [predictedEpsilon(type, output, sample, alpha, sigma), plain]
    const clean = config.thresholding ? thresholded(config, plain, batch) : plain
    return [clean, clean]
  }

  let outputs: Float32Array[] = [] // newest first, at most solver_order
  let lastSample: Float32Array | undefined
  let lastOrder = 0

  /** From `sample` at `index` to the next sigma; `arrived` is the output there, for the corrector. */
  function update(sample: Float32Array, index: number, order: number, arrived?: Float32Array): Float32Array {
    const [m0, ...older] = outputs
    if (!m0) throw new Error('a step needs an output')
    const [alphaFrom, sigmaFrom] = signalAndNoise(config, sigmaAt(index))
    const [alpha, sigma] = signalAndNoise(config, sigmaAt(index + 1))
    const h = lambdaAt(index + 1) - lambdaAt(index)
    const signed = config.predict_x0 ? -h : h
    const scale = config.predict_x0 ? alpha : sigma
    const terms: [number, Float32Array][] = [
      [config.predict_x0 ? sigma / sigmaFrom : alpha / alphaFrom, sample],
      [-scale * Math.expm1(signed), m0],
    ]
    const ratios = older.slice(0, order - 1).map((_, k) => (lambdaAt(index - 1 - k) - lambdaAt(index)) / h)
    const differences = older.slice(0, order - 1)
    if (arrived) {
      ratios.push(1)
      differences.push(arrived)
    }
    if (ratios.length === 0) return weightedSum(...terms)
    const base = config.solver_type === 'bh1' ? signed : Math.expm1(signed)
    const weights = solverWeights(ratios, signed, base)
    differences.forEach((output, k) => {
      const factor = (-scale * base * (weights[k] ?? NaN)) / (ratios[k] ?? NaN)
      terms.push([factor, output], [-factor, m0])
    })
    return weightedSum(...terms)
  }

  return {
    timesteps,
    initNoiseSigma: 1,
    order: 1,
    learnsVariance: false,
    scaleModelInput: (sample) => sample,
    step(modelOutput, index, sample) {
      const [output, clean] = predictions(modelOutput, index, sample)
      const corrects = lastSample !== undefined && !config.disable_corrector.includes(index - 1)
      const corrected = corrects && lastSample ? update(lastSample, index - 1, lastOrder, output) : sample
      outputs = [output, ...outputs.slice(0, config.solver_order - 1)]
      const limit = config.lower_order_final ? timesteps.length - index : config.solver_order
      lastOrder = Math.min(limit, outputs.length)
      lastSample = corrected
      return { prevSample: update(corrected, index, lastOrder), predOriginalSample: clean }
    },
    addNoise(original, noise, index) {
      const [alpha, sigma] = signalAndNoise(config, sigmaAt(index))
      return weightedSum([alpha, original], [sigma, noise])
    },
  }
}

/** The rho of equations 9 and 10 for these ratios r; one alone is 1/2, as in the paper's code. */
function solverWeights(ratios: readonly number[], signed: number, base: number): number[] {
  if (ratios.length === 1) return [0.5]
  const right: number[] = []
  let phi = Math.expm1(signed) / signed - 1
  let factorial = 1
  for (let i = 1; i <= ratios.length; i++) {
    right.push((phi * factorial) / base)
    factorial *= i + 1
    phi = phi / signed - 1 / factorial
  }
  return solveLinear(
    right.map((_, power) => ratios.map((ratio) => ratio ** power)),
    right,
  )
}
