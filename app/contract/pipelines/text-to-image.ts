import { z } from 'zod'
import type { ModelEntry } from '../models.ts'
import {
  checkStillConditioning,
  stillConditioningFields,
  stillConditioningMedia,
  stillConditioningModels,
  type StillConditioning,
} from './conditioning.ts'
import { badInput, type ByRole, type FieldProblem, type Pipeline } from './pipeline.ts'
import {
  checkDiffusion,
  diffusionFields,
  diffusionModels,
  stableDiffusion,
  suitedDiffusion,
} from './stable-diffusion.ts'

/** What pipelines that make one picture let a user choose. */
export const stillFields = { ...diffusionFields, ...stillConditioningFields }
export const stillModels = { ...diffusionModels, ...stillConditioningModels }

const settings = z.object(stillFields)
export type TextToImageSettings = z.infer<typeof settings>

/** Stable Diffusion 1.x and 2.x (arXiv 2112.10752). Reference: StableDiffusionPipeline. */
export const textToImage = {
  ...stableDiffusion,
  name: 'text-to-image',
  title: 'Text to image',
  makes: 'still',
  aims: ['still'],
  settings,
  models: stillModels,
  media: stillConditioningMedia<TextToImageSettings>(),
  sections: ['model', 'prompt', 'picture', 'steering', 'sampling', 'scheduler', 'freeu', 'compute', 'advanced'],
  suited: (settings, model, models) => suitedDiffusion(settings, model, models),
  check: checkStill,
} as const satisfies Pipeline<TextToImageSettings>

/** What does not fit where one picture is made. */
export function checkStill(settings: StillConditioning, found: ByRole<ModelEntry>): FieldProblem[] {
  const [model] = found.model ?? []
  const moves = model && !model.needsMotionAdapter
  const refusal = `${model?.name} has motion modules inside and makes clips only: choose a model without.`
  return [
    ...checkDiffusion(settings, found),
    ...(moves ? [badInput('model', refusal)] : []),
    ...checkStillConditioning(settings, found),
  ]
}
