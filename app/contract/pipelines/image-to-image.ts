import { z } from 'zod'
import { fields, type Fields } from './fields.ts'
import { badInput, type BaseSettings, type FieldProblem, type MediaRole, type Pipeline } from './pipeline.ts'
import { stillConditioningMedia } from './conditioning.ts'
import { stableDiffusion, suitedDiffusion } from './stable-diffusion.ts'
import { checkStill, stillFields, stillModels } from './text-to-image.ts'

/** What pipelines that begin with a picture let a user choose beside all else. */
export const imageFields = { image: fields.image, resizeMode: fields.resizeMode, strength: fields.strength }
type Partly = BaseSettings & Pick<Fields, 'strength' | 'numInferenceSteps'>
type FromImage = BaseSettings & Pick<Fields, keyof typeof imageFields | 'numInferenceSteps'>

/** The picture that a run begins with, as the media of its record. */
export const imageRole = <S extends FromImage>(use = 'Vary this picture'): MediaRole<S> => ({
  takes: 'still',
  field: 'image',
  use,
  refs: ({ image }) => (image ? [image] : []),
  put: (settings, image) => ({ ...settings, image }),
})

/** Of the steps the last ones are run, and at least one. */
export const stepsFromImage = ({ numInferenceSteps, strength }: Partly): number =>
  Math.min(Math.floor(numInferenceSteps * strength), numInferenceSteps)

export function checkStrength(settings: Partly): FieldProblem[] {
  const { numInferenceSteps: steps, strength } = settings
  if (stepsFromImage(settings) > 0) return []
  const least = Math.ceil(100 / steps) / 100
  return [badInput('strength', `Of ${steps} steps, strength ${strength} leaves none: use at least ${least}.`)]
}

const settings = z.object({ ...stillFields, ...imageFields })
export type ImageToImageSettings = z.infer<typeof settings>

/** A picture made anew after a prompt (SDEdit, arXiv 2108.01073). Reference: StableDiffusionImg2ImgPipeline. */
export const imageToImage = {
  ...stableDiffusion,
  name: 'image-to-image',
  title: 'Image to image',
  makes: 'still',
  aims: ['vary'],
  settings,
  models: stillModels,
  media: { image: imageRole<ImageToImageSettings>(), ...stillConditioningMedia<ImageToImageSettings>() },
  sections: [
    'model',
    'prompt',
    'image',
    'picture',
    'steering',
    'sampling',
    'scheduler',
    'freeu',
    'compute',
    'advanced',
  ],
  stepsOf: stepsFromImage,
  suited: (settings, model, models) => suitedDiffusion(settings, model, models),
  check: (settings, found) => [...checkStill(settings, found), ...checkStrength(settings)],
} as const satisfies Pipeline<ImageToImageSettings>
