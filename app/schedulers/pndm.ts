import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { noisyAt } from './alphas.ts'
import { weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import { betaFields, commonSchedules, flag, spacingFields } from './config.ts'
import { predictedOriginal } from './prediction.ts'
import type { Scheduler } from './scheduler.ts'
import { requireTrained, wholeTimesteps } from './timesteps.ts'

export const pndmConfig = z.object({
  ...betaFields(0.0001, 0.02, 'linear', commonSchedules),
  skip_prk_steps: flag(false),
  set_alpha_to_one: flag(false),
  prediction_type: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
  ...spacingFields('leading'),
})

/**
 * The Runge-Kutta start: each of the first three steps is evaluated at its start, twice at its middle, and at its end.
 */
function rungeKuttaTimesteps(timesteps: readonly number[], half: number): number[] {
  const points = timesteps.slice(0, 4).flatMap((timestep) => [timestep + half, timestep])
  return points
    .slice(1)
    .flatMap((timestep, i, all) => (i === 0 || i === all.length - 1 ? [timestep] : [timestep, timestep]))
}

/**
 * Pseudo linear multistep, with a Runge-Kutta start unless skip_prk_steps: Liu et al., arXiv 2202.09778.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_pndm.py@58eb52c`.
 */
export function createPndm(config: z.infer<typeof pndmConfig>, steps: number): Scheduler {
  const { num_train_timesteps: trainSteps, prediction_type: type } = config
  if (!config.skip_prk_steps && steps < 4)
    throw new ProblemError('bad-input', `PNDMScheduler without skip_prk_steps needs at least 4 steps, not ${steps}.`, {
      field: 'numInferenceSteps',
    })
  const alphas = cumulativeAlphas(trainingBetas({ ...config, rescale_betas_zero_snr: false }))
  const stride = Math.floor(trainSteps / steps)
  const half = Math.floor(stride / 2)
  const grid = wholeTimesteps(config, steps)
  const start = config.skip_prk_steps ? [] : rungeKuttaTimesteps(grid, half)
  const multistep = config.skip_prk_steps ? [...grid.slice(0, 2), ...grid.slice(1)] : grid.slice(3)
  const timesteps = [...start, ...multistep]
  requireTrained(timesteps, trainSteps)

  const finalAlpha = config.set_alpha_to_one ? 1 : (alphas[0] ?? 1)
  const alphaAt = (timestep: number) => (timestep < 0 ? finalAlpha : (alphas[timestep] ?? NaN))

  /** Formula 9: x at `previous` from x at `timestep` and the noise. */
  function transfer(sample: Float32Array, timestep: number, previous: number, output: Float32Array): Float32Array {
    const alpha = alphaAt(timestep)
    const alphaPrev = alphaAt(previous)
    const denominator = alpha * Math.sqrt(1 - alphaPrev) + Math.sqrt(alpha * (1 - alpha) * alphaPrev)
    const perNoise = -(alphaPrev - alpha) / denominator
    const perSample = Math.sqrt(alphaPrev / alpha)
    if (type === 'epsilon') return weightedSum([perSample, sample], [perNoise, output])
    return weightedSum([perSample + perNoise * Math.sqrt(1 - alpha), sample], [perNoise * Math.sqrt(alpha), output])
  }

  let counter = 0
  let outputs: Float32Array[] = [] // newest first, at most four
  let keptSample: Float32Array | undefined
  let slopes: [number, Float32Array][] = []

  function rungeKuttaStep(output: Float32Array, timestep: number, sample: Float32Array): Float32Array {
    const phase = counter % 4
    const previous = timestep - (phase % 2 === 0 ? half : 0)
    const origin = start[counter - phase] ?? NaN
    if (phase === 0) {
      keptSample = sample
      outputs = [output, ...outputs]
      slopes = []
    }
    slopes.push([phase === 0 || phase === 3 ? 1 / 6 : 1 / 3, output])
    return transfer(keptSample ?? sample, origin, previous, phase === 3 ? weightedSum(...slopes) : output)
  }

  function multistepStep(output: Float32Array, timestep: number, sample: Float32Array): Float32Array {
    if (counter === 1) {
      // The repeated second timestep redoes the first step with the mean of both slopes.
      const mean = weightedSum([0.5, output], [0.5, outputs[0] ?? output])
      return transfer(keptSample ?? sample, timestep + stride, timestep, mean)
    }
    outputs = [output, ...outputs.slice(0, 3)]
    if (counter === 0) keptSample = sample
    return transfer(sample, timestep, timestep - stride, weightedSum(...adamsBashforth(outputs)))
  }

  return {
    timesteps,
    initNoiseSigma: 1,
    order: 1,
    learnsVariance: false,
    scaleModelInput: (sample) => sample,
    step(modelOutput, index, sample) {
      const timestep = timesteps[index] ?? NaN
      const alpha = alphaAt(timestep)
      const original = predictedOriginal(type, modelOutput, sample, Math.sqrt(alpha), Math.sqrt(1 - alpha))
      const inStart = counter < start.length
      const prevSample = (inStart ? rungeKuttaStep : multistepStep)(modelOutput, timestep, sample)
      counter++
      return { prevSample, predOriginalSample: original }
    },
    addNoise: (original, noise, index) => noisyAt(alphaAt(timesteps[index] ?? NaN), original, noise),
    addFullNoise: (original, noise) => noisyAt(alphas.at(-1) ?? NaN, original, noise),
  }
}

/** The linear multistep coefficients for one to four past slopes, newest first. */
function adamsBashforth(outputs: readonly Float32Array[]): [number, Float32Array][] {
  const table = [[1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24]]
  const coefficients = table[outputs.length - 1] ?? []
  return outputs.map((output, i) => [coefficients[i] ?? 0, output])
}
