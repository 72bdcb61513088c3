import { z } from 'zod'
import { fields } from './fields.ts'
import type { Pipeline } from './pipeline.ts'
import { stableDiffusion, suitedDiffusion } from './stable-diffusion.ts'
import { checkSdxl, sdxlFields, sdxlModels } from './stable-diffusion-xl.ts'

const settings = z.object({ ...sdxlFields, denoisingEnd: fields.denoisingEnd })
export type TextToImageXlSettings = z.infer<typeof settings>

/** Stable Diffusion XL (arXiv 2307.01952). Reference: StableDiffusionXLPipeline. */
export const textToImageXl = {
  ...stableDiffusion,
  name: 'text-to-image-xl',
  title: 'Text to image XL',
  makes: 'still',
  aims: ['still'],
  settings,
  models: sdxlModels,
  sections: ['model', 'prompt', 'picture', 'sampling', 'scheduler', 'xl', 'freeu', 'advanced', 'compute'],
  suited: (settings, model, models) => suitedDiffusion(settings, model, models),
  check: checkSdxl,
} as const satisfies Pipeline<TextToImageXlSettings>
