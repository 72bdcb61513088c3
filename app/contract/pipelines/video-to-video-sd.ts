import { z } from 'zod'
import { fields, type Fields } from './fields.ts'
import { checkStrength, stepsFromImage } from './image-to-image.ts'
import type { MediaRole, Pipeline } from './pipeline.ts'
import { checkDiffusion, stableDiffusion } from './stable-diffusion.ts'
import { suitedUnet3d, unet3dFields, unet3dModels } from './text-to-video-sd.ts'

/** What pipelines that begin with a clip let a user choose beside all else; `numFrames` is the most that is read. */
export const videoFields = { video: fields.video, resizeMode: fields.resizeMode, strength: fields.strength }

/** The clip that a run begins with, as the media of its record. */
export const videoRole = <S extends Pick<Fields, 'video'>>(): MediaRole<S> => ({
  takes: 'clip',
  field: 'video',
  use: 'Vary this clip',
  refs: ({ video }) => (video ? [video] : []),
  put: (settings, video) => ({ ...settings, video }),
})

const settings = z.object({ ...unet3dFields, ...videoFields })
export type VideoToVideoSdSettings = z.infer<typeof settings>

/** A clip made anew by a model of ModelScope's kind. Reference: VideoToVideoSDPipeline. */
export const videoToVideoSd = {
  ...stableDiffusion,
  name: 'video-to-video-sd',
  title: 'Video to video (ModelScope)',
  makes: 'clip',
  aims: ['vary'],
  settings,
  models: unet3dModels,
  media: { video: videoRole<VideoToVideoSdSettings>() },
  stepsOf: stepsFromImage,
  sections: ['model', 'prompt', 'video', 'clip', 'sampling', 'scheduler', 'freeu', 'compute', 'advanced'],
  suited: (settings, model, models) => suitedUnet3d(settings, model, models),
  check: (settings, found) => [...checkDiffusion(settings, found), ...checkStrength(settings)],
} as const satisfies Pipeline<VideoToVideoSdSettings>
