import { z } from 'zod'
import { embeddingRecipeSchema, pictureRecipeSchema } from './recipe.ts'
import { pipelines } from './pipelines.ts'
import type { Makes } from './pipelines/pipeline.ts'

const shared = { id: z.string(), createdAt: z.number(), title: z.string() }

/**
 * A finished clip or still: a lossless WebP in the library, with its recipe inside. A still is one frame that stands
 * for a second, so whoever shows frames need not ask which of the two it is.
 */
export const pictureResultSchema = z.object({
  ...shared,
  kind: z.enum(['clip', 'still']),
  width: z.int(),
  height: z.int(),
  numFrames: z.int(),
  fps: z.number(),
  bytes: z.number(),
  recipe: pictureRecipeSchema,
})
export type PictureResult = z.infer<typeof pictureResultSchema>

/** An embedding of texts and pictures: a safetensors file in the library, with its recipe inside. */
export const embeddingResultSchema = z.object({
  ...shared,
  kind: z.literal('embedding'),
  bytes: z.number(),
  recipe: embeddingRecipeSchema,
})
export type EmbeddingResult = z.infer<typeof embeddingResultSchema>

export const labelSchema = z.object({ label: z.string(), probability: z.number() })

export const classificationSchema = z.object({
  /** Most probable first. */
  labels: z.array(labelSchema),
  /** Frames given to the model, by their index in the clip; one list for each window. */
  windows: z.array(z.array(z.int())),
  /** Frames in the clip. */
  frameCount: z.int(),
  notes: z.array(z.string()),
  modelName: z.string(),
})
export type Classification = z.infer<typeof classificationSchema>

export const classificationResultSchema = z.object({
  ...shared,
  kind: z.literal('classification'),
  settings: pipelines['video-classification'].settings,
  classification: classificationSchema,
  /** The clip of the library that was classified, when it was one. */
  clipId: z.string().optional(),
})
export type ClassificationResult = z.infer<typeof classificationResultSchema>

export const resultSchema = z.discriminatedUnion('kind', [
  pictureResultSchema,
  embeddingResultSchema,
  classificationResultSchema,
])
export type Result = z.infer<typeof resultSchema>

/** What the pipelines that end with a result of this kind make. */
export const makesOf = (kind: Result['kind']): Makes => (kind === 'classification' ? 'labels' : kind)

export const isPicture = (result: Result | undefined): result is PictureResult =>
  result?.kind === 'clip' || result?.kind === 'still'

export const isEmbedding = (result: Result | undefined): result is EmbeddingResult => result?.kind === 'embedding'

/**
 * Formats that the host encodes from a picture of the library. The page itself makes MP4 and WebM. PNG is a folder of
 * frames, or a still.
 */
export const hostExportFormats = ['gif', 'webp', 'png'] as const
export const exportFormats = ['mp4', 'webm', 'gif', 'webp', 'png'] as const
export type ExportFormat = (typeof exportFormats)[number]
