import { z } from 'zod'
import { stillConditioningMedia } from './conditioning.ts'
import { fields } from './fields.ts'
import type { Pipeline } from './pipeline.ts'
import { stableDiffusion, suitedDiffusion } from './stable-diffusion.ts'
import { checkSdxlStill, sdxlStillFields, sdxlStillModels } from './stable-diffusion-xl.ts'

const settings = z.object({ ...sdxlStillFields, denoisingEnd: fields.denoisingEnd })
export type TextToImageXlSettings = z.infer<typeof settings>

/** Stable Diffusion XL (arXiv 2307.01952). Reference: StableDiffusionXLPipeline. */
export const textToImageXl = {
  ...stableDiffusion,
  name: 'text-to-image-xl',
  title: 'Text to image XL',
  makes: 'still',
  aims: ['still'],
  settings,
  models: sdxlStillModels,
  media: stillConditioningMedia<TextToImageXlSettings>(),
  sections: ['model', 'prompt', 'picture', 'steering', 'sampling', 'scheduler', 'xl', 'freeu', 'compute', 'advanced'],
  suited: (settings, model, models) => suitedDiffusion(settings, model, models),
  check: checkSdxlStill,
} as const satisfies Pipeline<TextToImageXlSettings>
