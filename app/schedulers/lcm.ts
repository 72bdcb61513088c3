import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { noisyAt, requireSignal } from './alphas.ts'
import { weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import { betaFields, clipFields, commonSchedules, flag, predictionField, thresholdFields } from './config.ts'
import { limited, predictedOriginal } from './prediction.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'

/**
 * Without three keys of the reference's class that change nothing: its own grid stands in the place of timestep_spacing
 * and steps_offset, and each step lands on a trained timestep, so that set_alpha_to_one has no case.
 */
export const lcmConfig = z.object({
  ...betaFields(0.00085, 0.012, 'scaled_linear', commonSchedules),
  original_inference_steps: z.int().positive().default(50),
  ...clipFields(false),
  prediction_type: predictionField,
  ...thresholdFields,
  timestep_scaling: z.number().positive().default(10),
  rescale_betas_zero_snr: flag(false),
})

/**
 * `steps` timesteps spread over the grid that the consistency model was distilled on, from the noisiest: the last
 * `strength` of it. Throws bad-input for more steps than that has.
 */
export function distilledTimesteps(
  config: { readonly num_train_timesteps: number; readonly original_inference_steps: number },
  steps: number,
  { strength = 1 }: SchedulerOptions,
): number[] {
  const { num_train_timesteps: trainSteps, original_inference_steps: original } = config
  const count = Math.floor(original * strength)
  if (original > trainSteps || steps > count) {
    const of = `original_inference_steps ${original}, num_train_timesteps ${trainSteps}, strength ${strength}`
    throw new ProblemError(
      'bad-input',
      `This scheduler can take at most ${Math.min(count, trainSteps)} steps here (${of}), not ${steps}.`,
      { field: 'numInferenceSteps' },
    )
  }
  const stride = Math.floor(trainSteps / original)
  return Array.from({ length: steps }, (_, i) => (count - Math.floor(i * (count / steps))) * stride - 1)
}

/**
 * Latent consistency models, Luo et al., arXiv 2310.04378; `predOriginalSample` is the consistency function's output.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_lcm.py@58eb52c`.
 */
export function createLcm(config: z.infer<typeof lcmConfig>, steps: number, options: SchedulerOptions): Scheduler {
  const alphas = cumulativeAlphas(trainingBetas(config))
  const timesteps = distilledTimesteps(config, steps, options)
  requireSignal(config.prediction_type, alphas, timesteps)
  const alphaAt = (index: number) => alphas[timesteps[index] ?? -1] ?? NaN

  return {
    timesteps,
    initNoiseSigma: 1,
    order: 1,
    learnsVariance: false,
    scaleModelInput: (sample) => sample,
    step(modelOutput, index, sample, noise) {
      const alpha = alphaAt(index)
      const type = config.prediction_type
      const clean = predictedOriginal(type, modelOutput, sample, Math.sqrt(alpha), Math.sqrt(1 - alpha))
      const original = limited(config, clean, options.batch ?? 1)
      // The boundary condition: appendix C of arXiv 2303.01469 with sigma_data = 0.5.
      const scaled = (timesteps[index] ?? NaN) * config.timestep_scaling
      const sum = scaled * scaled + 0.25
      const denoised = weightedSum([scaled / Math.sqrt(sum), original], [0.25 / sum, sample])
      const last = index === timesteps.length - 1
      return {
        prevSample: last ? denoised : noisyAt(alphaAt(index + 1), denoised, noise()),
        predOriginalSample: denoised,
      }
    },
    addNoise: (original, noise, index) => noisyAt(alphaAt(index), original, noise),
    addFullNoise: (original, noise) => noisyAt(alphas.at(-1) ?? NaN, original, noise),
  }
}
