import { z } from 'zod'
import type { ModelEntry } from '../models.ts'
import { checkFusing, checkSchedule, checkSides, suitedDiffusion } from './stable-diffusion.ts'
import { fields } from './fields.ts'
import { badInput, type ByRole, type FieldProblem, type ModelRole, type Pipeline } from './pipeline.ts'

const settings = z.object({
  model: fields.model,
  prompt: fields.prompt,
  negativePrompt: fields.negativePrompt,
  width: fields.width,
  height: fields.height,
  useResolutionBinning: fields.useResolutionBinning,
  cleanCaption: fields.cleanCaption,
  maxSequenceLength: fields.maxSequenceLength,
  numInferenceSteps: fields.numInferenceSteps,
  timesteps: fields.timesteps,
  guidanceScale: fields.guidanceScale,
  seed: fields.seed,
  scheduler: fields.scheduler,
  schedulerConfig: fields.schedulerConfig,
  eta: fields.eta,
  attnProcessor: fields.attnProcessor,
  fuseQkv: fields.fuseQkv,
  vaeTiling: fields.vaeTiling,
  loras: fields.loras,
  loraChanges: fields.loraChanges,
  compute: fields.compute,
})
export type PixArtSettings = z.infer<typeof settings>

/**
 * Tokens that a prompt may have, its end included. Section 3.1 of arXiv 2310.00426; section 3.2 of arXiv 2403.04692.
 */
export const promptTokens = { alpha: 120, sigma: 300 }

export const familyOf = ({ className }: { readonly className: string }): keyof typeof promptTokens =>
  className === 'PixArtSigmaPipeline' ? 'sigma' : 'alpha'

/**
 * PixArt-alpha and -Sigma (arXiv 2310.00426, 2403.04692), which of them is told by the folder. References:
 * PixArtAlphaPipeline, PixArtSigmaPipeline.
 */
export const pixart = {
  name: 'pixart',
  title: 'PixArt',
  makes: 'still',
  aims: ['still'],
  takesClip: false,
  settings,
  models: {
    model: { kind: 'pixart', field: 'model', ids: ({ model }) => [model] },
    loras: { kind: 'lora', field: 'loras', ids: ({ loras }) => loras.map(({ id }) => id) },
  } satisfies Record<string, ModelRole<PixArtSettings>>,
  live: ['loraScales'],
  sections: ['model', 'prompt', 'picture', 'sampling', 'pixart', 'scheduler', 'compute', 'advanced'],
  titleOf: ({ prompt }) => prompt,
  stepsOf: ({ numInferenceSteps, timesteps }) => timesteps?.length ?? numInferenceSteps,
  suited: (settings, model, models) => suitedDiffusion(settings, model, models),
  check: (settings, found) => [
    ...(settings.useResolutionBinning ? [] : checkSides(settings, found)),
    ...checkSchedule(settings, found),
    ...checkTimesteps(settings, found),
    ...checkFusing(settings),
  ],
} as const satisfies Pipeline<PixArtSettings>

/** The reference's other schedulers take timesteps too; those models that are made for a step of their own use DDPM. */
function checkTimesteps({ timesteps, scheduler }: PixArtSettings, found: ByRole<ModelEntry>): FieldProblem[] {
  const className = scheduler ?? found.model?.[0]?.scheduler
  if (timesteps === null || className === undefined || className === 'DDPMScheduler') return []
  const message = `${className} takes no timesteps: choose DDPMScheduler, which models of one step need, or give a number of steps.`
  return [badInput('timesteps', message)]
}
