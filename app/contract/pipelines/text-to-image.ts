import { z } from 'zod'
import { badInput, type Pipeline } from './pipeline.ts'
import {
  checkDiffusion,
  diffusionFields,
  diffusionModels,
  stableDiffusion,
  suitedDiffusion,
} from './stable-diffusion.ts'

const settings = z.object(diffusionFields)
export type TextToImageSettings = z.infer<typeof settings>

/** Stable Diffusion 1.x and 2.x (arXiv 2112.10752). Reference: StableDiffusionPipeline. */
export const textToImage = {
  ...stableDiffusion,
  name: 'text-to-image',
  title: 'Text to image',
  makes: 'still',
  settings,
  models: diffusionModels,
  sections: ['model', 'prompt', 'picture', 'sampling', 'scheduler', 'freeu', 'advanced', 'compute'],
  suited: (settings, model, models) => suitedDiffusion(settings, model, models),
  check(settings, found) {
    const [model] = found.model ?? []
    const moves = model && !model.needsMotionAdapter
    const refusal = `${model?.name} has motion modules inside and makes clips only: choose a model without.`
    return [...checkDiffusion(settings, found), ...(moves ? [badInput('model', refusal)] : [])]
  },
} as const satisfies Pipeline<TextToImageSettings>
