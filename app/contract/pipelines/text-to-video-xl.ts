import { z } from 'zod'
import { fields } from './fields.ts'
import type { Pipeline } from './pipeline.ts'
import { checkSdxl, sdxlFields, sdxlModels } from './stable-diffusion-xl.ts'
import { checkClip, clipFields, clipModels, suitedClip, textToVideo } from './text-to-video.ts'

const { laterPrompts: _, ...ownFields } = clipFields
const settings = z.object({ ...ownFields, ...sdxlFields, denoisingEnd: fields.denoisingEnd })
export type TextToVideoXlSettings = z.infer<typeof settings>

/** AnimateDiff over Stable Diffusion XL. Reference: AnimateDiffSDXLPipeline. */
export const textToVideoXl = {
  ...textToVideo,
  name: 'text-to-video-xl',
  title: 'Text to video XL',
  settings,
  models: { ...clipModels, ...sdxlModels },
  media: {},
  sections: ['model', 'prompt', 'clip', 'longClip', 'sampling', 'scheduler', 'xl', 'freeu', 'compute', 'advanced'],
  suited: suitedClip,
  check: (settings, found, models) => [
    ...checkClip({ ...settings, laterPrompts: [] }, found, models),
    ...checkSdxl(settings, found),
  ],
} as const satisfies Pipeline<TextToVideoXlSettings>
