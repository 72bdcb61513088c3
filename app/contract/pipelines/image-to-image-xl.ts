import { z } from 'zod'
import { checkStrength, imageFields, imageRole, stepsFromImage } from './image-to-image.ts'
import type { Pipeline } from './pipeline.ts'
import { stableDiffusion, suitedDiffusion } from './stable-diffusion.ts'
import { checkSdxl, sdxlFields, sdxlModels } from './stable-diffusion-xl.ts'

const settings = z.object({ ...sdxlFields, ...imageFields })
export type ImageToImageXlSettings = z.infer<typeof settings>

/** Stable Diffusion XL from a picture. Reference: StableDiffusionXLImg2ImgPipeline. */
export const imageToImageXl = {
  ...stableDiffusion,
  name: 'image-to-image-xl',
  title: 'Image to image XL',
  makes: 'still',
  aims: ['vary'],
  settings,
  models: sdxlModels,
  media: { image: imageRole<ImageToImageXlSettings>() },
  sections: ['model', 'prompt', 'image', 'picture', 'sampling', 'scheduler', 'xl', 'freeu', 'advanced', 'compute'],
  stepsOf: stepsFromImage,
  suited: (settings, model, models) => suitedDiffusion(settings, model, models),
  check: (settings, found) => [...checkSdxl(settings, found), ...checkStrength(settings)],
} as const satisfies Pipeline<ImageToImageXlSettings>
