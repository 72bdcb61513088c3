import { z } from 'zod'
import { fields } from './fields.ts'
import { badInput, type Pipeline } from './pipeline.ts'

const settings = z.object({
  model: fields.model,
  prompt: fields.prompt,
  width: fields.width,
  height: fields.height,
  priorSteps: fields.priorSteps,
  priorGuidanceScale: fields.priorGuidanceScale,
  numInferenceSteps: fields.numInferenceSteps,
  guidanceScale: fields.guidanceScale,
  superResSteps: fields.superResSteps,
  seed: fields.seed,
  compute: fields.compute,
})
export type UnclipSettings = z.infer<typeof settings>

/** A still by prior, decoder and super-resolution of one folder (arXiv 2204.06125). Reference: UnCLIPPipeline. */
export const unclip = {
  name: 'unclip',
  title: 'unCLIP',
  makes: 'still',
  aims: ['still'],
  takesClip: false,
  settings,
  models: { model: { kind: 'unclip', field: 'model', ids: ({ model }) => [model] } },
  live: [],
  sections: ['model', 'prompt', 'prior', 'sampling', 'compute'],
  titleOf: ({ prompt }) => prompt,
  stepsOf: ({ priorSteps, numInferenceSteps, superResSteps }) => priorSteps + numInferenceSteps + superResSteps,
  suited: (settings, model) => ({
    ...settings,
    model: model.id,
    ...(model.nativeSize && { width: model.nativeSize, height: model.nativeSize }),
  }),
  check({ width, height }, found) {
    const [model] = found.model ?? []
    const size = model?.nativeSize
    if (size === undefined || (width === size && height === size)) return []
    return [badInput('width', `${model?.name} makes pictures of ${size} by ${size} and no others.`)]
  },
} as const satisfies Pipeline<UnclipSettings>
