import { z } from 'zod'
import { fields } from './fields.ts'
import type { Pipeline } from './pipeline.ts'
import { checkMix, mixFields, mixMedia, mixTitle, priorRuns } from './prior.ts'

const settings = z.object({ model: fields.model, ...mixFields, compute: fields.compute })
export type TextToEmbeddingSettings = z.infer<typeof settings>

/**
 * An embedding of texts, pictures and other embeddings, to be kept, compared and used again (arXiv 2204.06125).
 * Reference: KandinskyV22PriorPipeline and KandinskyPriorPipeline, with their `interpolate`.
 */
export const textToEmbedding = {
  name: 'text-to-embedding',
  title: 'Mix to embedding',
  makes: 'embedding',
  aims: ['mix'],
  takesClip: false,
  settings,
  models: { model: { kind: 'prior', field: 'model', ids: ({ model }) => [model] } },
  media: mixMedia<TextToEmbeddingSettings>(),
  live: [],
  sections: ['model', 'prompt', 'mix', 'prior', 'sampling', 'compute'],
  titleOf: (settings) => mixTitle(settings),
  stepsOf: (settings) => priorRuns(settings) * settings.priorSteps,
  suited: (settings, model) => ({ ...settings, model: model.id }),
  check: (settings) => checkMix(settings),
} as const satisfies Pipeline<TextToEmbeddingSettings>
