import { z } from 'zod'

/**
 * FreeU's four factors (arXiv 2309.11497), named as diffusers' `enable_freeu` does. 1 leaves a stage as it is; 0
 * means 0.
 */
export const freeUSchema = z.object({
  s1: z.number().min(0).max(4),
  s2: z.number().min(0).max(4),
  b1: z.number().min(0).max(4),
  b2: z.number().min(0).max(4),
})
export type FreeU = z.infer<typeof freeUSchema>

export const forwardChunkingSchema = z.object({
  chunkSize: z.int().min(1),
  dim: z.union([z.literal(0), z.literal(1)]),
})
export type ForwardChunking = z.infer<typeof forwardChunkingSchema>

const loraScaleSchema = z.number().min(-10).max(10)
/** A LoRA on top of the model. 1 is the strength it was trained with; 0 leaves the model as it is. */
export const loraChoiceSchema = z.object({ id: z.string().min(1), scale: loraScaleSchema })
export type LoraChoice = z.infer<typeof loraChoiceSchema>

/** Scales by the LoRAs' ids. One that is not named has the scale of the settings. */
export const loraScalesSchema = z.record(z.string().min(1), loraScaleSchema)
export type LoraScales = z.infer<typeof loraScalesSchema>
export const scalesOf = (loras: readonly LoraChoice[]): LoraScales =>
  Object.fromEntries(loras.map(({ id, scale }) => [id, scale]))

/** What can be changed while a clip is made, in force from the next step on. What is left out stays as it is. */
export const liveControlsSchema = z.object({
  freeu: freeUSchema.nullable().exactOptional(),
  loraScales: loraScalesSchema.exactOptional(),
})
export type LiveControls = z.infer<typeof liveControlsSchema>

/** FreeU's published values per model family. Source: github.com/ChenyangSi/FreeU README. */
export const freeUPresets = [
  { name: 'SD 1.4', freeu: { b1: 1.3, b2: 1.4, s1: 0.9, s2: 0.2 } },
  { name: 'SD 1.5', freeu: { b1: 1.5, b2: 1.6, s1: 0.9, s2: 0.2 } },
  { name: 'SD 2.1', freeu: { b1: 1.4, b2: 1.6, s1: 0.9, s2: 0.2 } },
  { name: 'SDXL', freeu: { b1: 1.3, b2: 1.4, s1: 0.9, s2: 0.2 } },
] as const satisfies readonly { name: string; freeu: FreeU }[]

/** How frames are picked from a clip for a classifier that takes `clipLen` of them. */
export const frameSamplingSchema = z.discriminatedUnion('kind', [
  /** `sample_frame_indices(clip_len, frame_sample_rate, seg_len)` of the TimeSformer documentation. */
  z.object({ kind: z.literal('rate'), frameSampleRate: z.number().min(0.01).max(1000) }),
  z.object({ kind: z.literal('even') }),
  /** Several windows side by side, their probabilities averaged. */
  z.object({ kind: z.literal('windows'), count: z.int().min(2).max(32) }),
])
export type FrameSampling = z.infer<typeof frameSamplingSchema>

/** What the user sets for the whole application; kept by the library. */
export const appSettingsSchema = z.object({
  theme: z.enum(['system', 'dark', 'light']),
  /** The most the engine's sessions may hold before the least recently used is let go, in MiB. */
  memoryBudgetMiB: z.int().min(256).max(1_048_576),
  /** Of the processor, for a model; null for as many as were measured to be of use. */
  threads: z.int().min(1).max(1024).nullable(),
  /** Folders that are searched for checkpoints, beside the bundled ones. */
  modelFolders: z.array(z.string().min(1)),
})
export type AppSettings = z.infer<typeof appSettingsSchema>
