import { z } from 'zod'
import { freeInitSteps } from '../free-init.ts'
import type { ModelEntry } from '../models.ts'
import { conditioningMedia } from './conditioning.ts'
import { fields } from './fields.ts'
import { checkStrength, imageFields, imageRole, stepsFromImage } from './image-to-image.ts'
import { badInput, type ByRole, type FieldProblem, type Pipeline } from './pipeline.ts'
import { checkSteered, steeredFields, steeredModels, suitedClip, type TextToVideoSettings } from './text-to-video.ts'
import { stableDiffusion } from './stable-diffusion.ts'
import { videoRole } from './video-to-video-sd.ts'

const { image, ...startFields } = imageFields
const videoSettings = z.object({ ...steeredFields, ...startFields, video: fields.video })
const imageSettings = z.object({ ...steeredFields, ...startFields, image })
export type VideoToVideoSettings = z.infer<typeof videoSettings>
export type ImageToVideoSettings = z.infer<typeof imageSettings>

type FromMedia = TextToVideoSettings & Pick<VideoToVideoSettings, 'strength'>

/** What is left to do of the steps, in all rounds. */
const stepsOf = (settings: FromMedia): number =>
  settings.freeInit ? rounds(settings).reduce((sum, count) => sum + count, 0) : stepsFromImage(settings)

const rounds = ({ freeInit, numInferenceSteps, strength }: FromMedia): number[] =>
  freeInit
    ? freeInitSteps(freeInit, Math.floor(numInferenceSteps * strength), strength).map(
        ({ laidOut, leftOut }) => laidOut - leftOut,
      )
    : []

function checkSteps(settings: FromMedia): FieldProblem[] {
  const problems = checkStrength(settings)
  const empty = rounds(settings).findIndex((count) => count < 1)
  if (problems.length > 0 || empty === -1) return problems
  const message = `Each round of FreeInit leaves steps out, and round ${empty + 1} would have none: take more steps, fewer rounds, or a higher strength.`
  return [badInput('freeInit', message)]
}

const check = (settings: FromMedia, found: ByRole<ModelEntry>, models: readonly ModelEntry[]): FieldProblem[] => [
  ...checkSteered(settings, found, models),
  ...checkSteps(settings),
]

/** A clip made anew after a prompt. Reference: AnimateDiffVideoToVideoPipeline. */
export const videoToVideo = {
  ...stableDiffusion,
  name: 'video-to-video',
  title: 'Video to video',
  makes: 'clip',
  aims: ['vary'],
  settings: videoSettings,
  models: steeredModels,
  media: { video: videoRole<VideoToVideoSettings>(), ...conditioningMedia<VideoToVideoSettings>() },
  sections: [
    'model',
    'prompt',
    'video',
    'clip',
    'steering',
    'longClip',
    'sampling',
    'scheduler',
    'freeu',
    'compute',
    'advanced',
  ],
  stepsOf,
  suited: suitedClip,
  check,
} as const satisfies Pipeline<VideoToVideoSettings>

/** A still that begins to move: the same, of a clip that stands still. */
export const imageToVideo = {
  ...videoToVideo,
  name: 'image-to-video',
  title: 'Image to video',
  aims: ['clip'],
  settings: imageSettings,
  media: {
    image: imageRole<ImageToVideoSettings>('First frame of a clip'),
    ...conditioningMedia<ImageToVideoSettings>(),
  },
  sections: [
    'model',
    'prompt',
    'image',
    'clip',
    'steering',
    'longClip',
    'sampling',
    'scheduler',
    'freeu',
    'compute',
    'advanced',
  ],
} as const satisfies Pipeline<ImageToVideoSettings>
