import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { noisyAt, requireSignal } from './alphas.ts'
import { weightedSum } from './arithmetic.ts'
import { cumulativeAlphas, trainingBetas } from './betas.ts'
import { betaFields, clipFields, commonSchedules, flag, predictionField, thresholdFields } from './config.ts'
import { limited, predictedOriginal } from './prediction.ts'
import type { Scheduler, SchedulerOptions } from './scheduler.ts'

export const lcmConfig = z.object({
  ...betaFields(0.00085, 0.012, 'scaled_linear', commonSchedules),
  original_inference_steps: z.int().positive().default(50),
  ...clipFields(false),
  // LCM's own grid replaces the spacing, and its steps always land on a trained timestep: these three change nothing.
  set_alpha_to_one: flag(true),
  steps_offset: z.int().default(0),
  timestep_spacing: z.string().default('leading'),
  prediction_type: predictionField,
  ...thresholdFields,
  timestep_scaling: z.number().positive().default(10),
  rescale_betas_zero_snr: flag(false),
})

/** `steps` timesteps spread over the grid that the consistency model was distilled on, from the noisiest. */
function distilledTimesteps(config: z.infer<typeof lcmConfig>, steps: number): number[] {
  const { num_train_timesteps: trainSteps, original_inference_steps: original } = config
  if (original > trainSteps || steps > original)
    throw new ProblemError(
      'bad-input',
      `LCMScheduler can take at most ${Math.min(original, trainSteps)} steps here (original_inference_steps ${original}, num_train_timesteps ${trainSteps}), not ${steps}.`,
      { field: 'numInferenceSteps' },
    )
  const stride = Math.floor(trainSteps / original)
  return Array.from({ length: steps }, (_, i) => (original - Math.floor(i * (original / steps))) * stride - 1)
}

/**
 * Latent consistency models, Luo et al., arXiv 2310.04378; `predOriginalSample` is the consistency function's output.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_lcm.py@58eb52c`.
 */
export function createLcm(config: z.infer<typeof lcmConfig>, steps: number, options: SchedulerOptions): Scheduler {
  const alphas = cumulativeAlphas(trainingBetas(config))
  const timesteps = distilledTimesteps(config, steps)
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
  }
}
