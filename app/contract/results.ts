import { z } from 'zod'
import { recipeSchema } from './recipe.ts'
import { classifySettingsSchema } from './settings.ts'

const shared = { id: z.string(), createdAt: z.number(), title: z.string() }

/** A finished clip: a lossless animated WebP in the library, with its recipe inside. */
export const clipResultSchema = z.object({
  ...shared,
  kind: z.literal('clip'),
  width: z.int(),
  height: z.int(),
  numFrames: z.int(),
  fps: z.number(),
  bytes: z.number(),
  recipe: recipeSchema,
})
export type ClipResult = z.infer<typeof clipResultSchema>

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
  settings: classifySettingsSchema,
  classification: classificationSchema,
  /** The clip of the library that was classified, when it was one. */
  clipId: z.string().optional(),
})
export type ClassificationResult = z.infer<typeof classificationResultSchema>

export const resultSchema = z.discriminatedUnion('kind', [clipResultSchema, classificationResultSchema])
export type Result = z.infer<typeof resultSchema>

/** Formats that the host encodes from a clip of the library. The page itself makes MP4 and WebM. */
export const hostExportFormats = ['gif', 'webp', 'png'] as const
export const exportFormats = ['mp4', 'webm', 'gif', 'webp', 'png'] as const
export type ExportFormat = (typeof exportFormats)[number]
