import { z } from 'zod'
import { fields } from './fields.ts'
import { checkStrength, imageFields, imageRole, stepsFromImage } from './image-to-image.ts'
import { badInput, type Pipeline } from './pipeline.ts'
import { asksPrior, checkMix, checkWidth, mixFields, mixMedia, mixTitle, priorRuns } from './prior.ts'
import { checkSchedule, checkSides } from './stable-diffusion.ts'

const settings = z.object({
  model: fields.model,
  prior: fields.prior,
  ...mixFields,
  width: fields.width,
  height: fields.height,
  ...imageFields,
  numInferenceSteps: fields.numInferenceSteps,
  guidanceScale: fields.guidanceScale,
  scheduler: fields.scheduler,
  schedulerConfig: fields.schedulerConfig,
  // Absent from recipes of before it was one of the settings.
  eta: fields.eta.default(0),
  compute: fields.compute,
})
export type PriorToImageSettings = z.infer<typeof settings>

/**
 * A still of what a prior makes of texts and pictures, or of embeddings that were kept; from noise, or from a picture.
 * Reference: KandinskyV22PriorPipeline with KandinskyV22Pipeline, or with KandinskyV22Img2ImgPipeline.
 */
export const priorToImage = {
  name: 'prior-to-image',
  title: 'Prior and decoder',
  makes: 'still',
  aims: ['mix', 'still'],
  takesClip: false,
  settings,
  models: {
    model: { kind: 'image-decoder', field: 'model', ids: ({ model }) => [model] },
    prior: { kind: 'prior', field: 'prior', ids: ({ prior }) => (prior === null ? [] : [prior]) },
  },
  media: {
    image: { ...imageRole<PriorToImageSettings>(), optional: true },
    ...mixMedia<PriorToImageSettings>(),
  },
  live: [],
  sections: ['model', 'prompt', 'mix', 'image', 'picture', 'prior', 'sampling', 'scheduler', 'compute'],
  titleOf: (settings) => mixTitle(settings),
  stepsOf: (settings) =>
    (settings.prior === null ? 0 : priorRuns(settings) * settings.priorSteps) +
    (settings.image ? stepsFromImage(settings) : settings.numInferenceSteps),
  suited: (settings, model, models) => ({
    ...settings,
    model: model.id,
    prior:
      models.find(
        ({ kind, problem, embeddingDim }) => kind === 'prior' && !problem && embeddingDim === model.embeddingDim,
      )?.id ?? null,
    ...(model.nativeSize && { width: model.nativeSize, height: model.nativeSize }),
  }),
  check(settings, found) {
    const [prior] = found.prior ?? []
    const noPrior =
      'A text or a picture is made an embedding by a prior: choose one, or take embeddings that were kept alone.'
    return [
      ...checkMix(settings),
      ...checkWidth(prior, found.model?.[0]),
      ...(settings.prior === null && asksPrior(settings) ? [badInput('prior', noPrior)] : []),
      ...checkSides(settings, found),
      ...checkSchedule(settings, found),
      ...(settings.image ? checkStrength(settings) : []),
    ]
  },
} as const satisfies Pipeline<PriorToImageSettings>
