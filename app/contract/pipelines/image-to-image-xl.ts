import { z } from 'zod'
import { stillConditioningMedia } from './conditioning.ts'
import { checkStrength, imageFields, imageRole, stepsFromImage } from './image-to-image.ts'
import type { Pipeline } from './pipeline.ts'
import { stableDiffusion, suitedDiffusion } from './stable-diffusion.ts'
import { checkSdxlStill, sdxlStillFields, sdxlStillModels } from './stable-diffusion-xl.ts'

const settings = z.object({ ...sdxlStillFields, ...imageFields })
export type ImageToImageXlSettings = z.infer<typeof settings>

/** Stable Diffusion XL from a picture. Reference: StableDiffusionXLImg2ImgPipeline. */
export const imageToImageXl = {
  ...stableDiffusion,
  name: 'image-to-image-xl',
  title: 'Image to image XL',
  makes: 'still',
  aims: ['vary'],
  settings,
  models: sdxlStillModels,
  media: { image: imageRole<ImageToImageXlSettings>(), ...stillConditioningMedia<ImageToImageXlSettings>() },
  sections: [
    'model',
    'prompt',
    'image',
    'picture',
    'steering',
    'sampling',
    'scheduler',
    'xl',
    'freeu',
    'compute',
    'advanced',
  ],
  stepsOf: stepsFromImage,
  suited: (settings, model, models) => suitedDiffusion(settings, model, models),
  check: (settings, found) => [...checkSdxlStill(settings, found), ...checkStrength(settings)],
} as const satisfies Pipeline<ImageToImageXlSettings>
