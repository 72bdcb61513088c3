import { z } from 'zod'
import { pixart } from './pipelines/pixart.ts'
import { imageToImage } from './pipelines/image-to-image.ts'
import { priorToImage } from './pipelines/prior-to-image.ts'
import { textToEmbedding } from './pipelines/text-to-embedding.ts'
import { imageToImageXl } from './pipelines/image-to-image-xl.ts'
import { textToImage } from './pipelines/text-to-image.ts'
import { textToVideoSd } from './pipelines/text-to-video-sd.ts'
import { textToImageXl } from './pipelines/text-to-image-xl.ts'
import { textToVideo } from './pipelines/text-to-video.ts'
import { unclip } from './pipelines/unclip.ts'
import { videoToVideoSd } from './pipelines/video-to-video-sd.ts'
import { textToVideoXl } from './pipelines/text-to-video-xl.ts'
import { imageToVideo, videoToVideo } from './pipelines/video-to-video.ts'
import { videoClassification } from './pipelines/video-classification.ts'
import { fieldDefaults } from './pipelines/fields.ts'
import type { ModelEntry, ModelKind } from './models.ts'
import type { Aim, BaseSettings, Makes, MakesFile, Pipeline } from './pipelines/pipeline.ts'
import { withSchedulerConfig } from './schedulers.ts'

/** Every pipeline by its name, in the order of a menu. */
export const pipelines = {
  'text-to-video': textToVideo,
  'video-to-video': videoToVideo,
  'image-to-video': imageToVideo,
  'text-to-video-xl': textToVideoXl,
  'text-to-video-sd': textToVideoSd,
  'video-to-video-sd': videoToVideoSd,
  'text-to-image': textToImage,
  'image-to-image': imageToImage,
  'text-to-image-xl': textToImageXl,
  'image-to-image-xl': imageToImageXl,
  pixart,
  'prior-to-image': priorToImage,
  unclip,
  'text-to-embedding': textToEmbedding,
  'video-classification': videoClassification,
} as const satisfies Record<string, Pipeline>

type Table = typeof pipelines
export type PipelineName = keyof Table
export type SettingsOf<P extends PipelineName> = z.infer<Table[P]['settings']>

/** The pipelines that make such a thing. */
export type NameMaking<M extends Makes> = { [P in PipelineName]: Table[P]['makes'] extends M ? P : never }[PipelineName]

/** A pipeline with settings of its own. */
export type RunRequest<P extends PipelineName = PipelineName> = {
  [N in P]: { readonly pipeline: N; readonly settings: SettingsOf<N> }
}[P]

/** The same as it may be sent: fields with a default may be left out. */
export type RunInput = { [P in PipelineName]: { pipeline: P; settings: z.input<Table[P]['settings']> } }[PipelineName]

export const pipelineNames = Object.keys(pipelines) as PipelineName[]

/** The record of a pipeline, for those who do not ask which it is. */
export const pipelineOf = (name: PipelineName): Pipeline => pipelines[name]

/** The pipelines for what one wants to do. */
export const namesFor = (aim: Aim): PipelineName[] =>
  pipelineNames.filter((name) => pipelineOf(name).aims.includes(aim))

export const namesMaking = <M extends Makes>(...makes: readonly M[]): NameMaking<M>[] =>
  pipelineNames.filter((name): name is NameMaking<M> => makes.some((one) => one === pipelines[name].makes))

const requestSchema = (name: PipelineName) =>
  z.object({ pipeline: z.literal(name), settings: pipelineOf(name).settings })
const requestSchemas = pipelineNames.map(requestSchema) as [ReturnType<typeof requestSchema>]

/**
 * The settings of the pipeline that is named beside them, of this version or of before. Other keys beside the two are
 * left out.
 */
export const runRequestSchema = z.preprocess(
  (value) =>
    typeof value === 'object' && value !== null && 'settings' in value
      ? { ...value, settings: withSchedulerConfig(value.settings) }
      : value,
  z.discriminatedUnion('pipeline', requestSchemas),
) as unknown as z.ZodType<RunRequest, RunInput>

/** A role of a pipeline in which a clip, still or embedding of the library can go into a run. `use`: its words. */
export type MediaUse = { readonly pipeline: NameMaking<MakesFile>; readonly role: string; readonly use: string }

/**
 * All that a result of this kind can be used for with these models, each use once: by the pipeline `current` where that
 * has it, else by one of the same kind of model, else by the first. What a run cannot do without comes first.
 */
export function usesOf(kind: MakesFile, models: readonly ModelEntry[], current?: PipelineName): MediaUse[] {
  const has = (of: ModelKind): boolean => models.some((model) => model.kind === of && !model.problem)
  const kindOf = (name: PipelineName): ModelKind => pipelineOf(name).models.model!.kind
  const all = namesMaking('clip', 'still', 'embedding')
    .filter((name) => has(kindOf(name)))
    .flatMap((pipeline) =>
      Object.entries(pipelineOf(pipeline).media ?? {}).flatMap(([role, { takes, use, reader, optional = false }]) =>
        takes === kind && (!reader || has(reader)) ? [{ pipeline, role, use, optional }] : [],
      ),
    )
  return all
    .filter(({ use }, at) => all.findIndex((one) => one.use === use) === at)
    .map((first) => {
      const ways = all.filter(({ use }) => use === first.use)
      const own = ways.find(({ pipeline }) => pipeline === current)
      return own ?? ways.find(({ pipeline }) => current && kindOf(pipeline) === kindOf(current)) ?? first
    })
    .sort((a, b) => Number(a.optional) - Number(b.optional))
    .map(({ pipeline, role, use }) => ({ pipeline, role, use }))
}

/** What a pipeline's settings are before anybody has chosen. */
export function defaultSettings<P extends PipelineName>(name: P): SettingsOf<P> {
  const keys = Object.keys(pipelines[name].settings.shape) as (keyof typeof fieldDefaults)[]
  return Object.fromEntries(keys.map((key) => [key, fieldDefaults[key]])) as SettingsOf<P> & BaseSettings
}
