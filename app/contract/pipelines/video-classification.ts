import { z } from 'zod'
import { fields } from './fields.ts'
import type { Pipeline } from './pipeline.ts'

const settings = z.object({
  model: fields.model,
  sampling: fields.sampling,
  topK: fields.topK,
  compute: fields.compute,
})
export type ClassifySettings = z.infer<typeof settings>

/** TimeSformer (arXiv 2102.05095): the labels of a clip. Reference: TimesformerForVideoClassification. */
export const videoClassification = {
  name: 'video-classification',
  title: 'Video classification',
  makes: 'labels',
  aims: ['read'],
  takesClip: true,
  settings,
  models: { model: { kind: 'video-classifier', field: 'model', ids: ({ model }) => [model] } },
  live: [],
  sections: ['classifier', 'compute'],
  titleOf: () => '',
  stepsOf: () => 0,
  suited: (settings, model) => ({ ...settings, model: model.id }),
  check: () => [],
} as const satisfies Pipeline<ClassifySettings>
