import { z } from 'zod'
import { attnChoiceSchema, attnProcessorSchema } from './attn-processors.ts'
import { computeSchema, defaultCompute } from './compute.ts'
import { fields } from './pipelines/fields.ts'
import { forwardChunkingSchema } from './settings.ts'

/** What a model is measured at. Sizes in pixels; a model that has no size or frames ignores them. */
export const profileShapeSchema = z.object({
  width: fields.width,
  height: fields.height,
  numFrames: fields.numFrames,
  /** Videos or images at a time: 2 under classifier-free guidance. */
  batch: z.int().min(1).max(64),
  compute: computeSchema.default(defaultCompute),
})
export type ProfileShape = z.infer<typeof profileShapeSchema>

export const profileSettingsSchema = profileShapeSchema.extend({
  attnProcessor: attnChoiceSchema.nullable(),
  forwardChunking: forwardChunkingSchema.nullable(),
})
export type ProfileSettings = z.infer<typeof profileSettingsSchema>

const figuresSchema = z.object({
  milliseconds: z.number(),
  /**
   * The most tensors that are alive during it, in bytes, beside the weights: what it makes itself and what others keep
   * meanwhile.
   */
  peakBytes: z.number(),
})
export type Figures = z.infer<typeof figuresSchema>

export const partProfileSchema = figuresSchema.extend({
  path: z.string(),
  /** Of the whole run's time, 0 to 1. */
  share: z.number(),
  /** The most that it makes itself: what of the peak a change here could save. */
  ownBytes: z.number(),
})
export type PartProfile = z.infer<typeof partProfileSchema>

export const layerProfileSchema = partProfileSchema.extend({
  kind: z.enum(['attention', 'feed-forward']),
  /** Of an attention layer that has a choice; null for all others. */
  processor: attnProcessorSchema.nullable(),
})
export type LayerProfile = z.infer<typeof layerProfileSchema>

/**
 * A run of a model. Times are onnxruntime's own, the best of a few runs for each operator, without what lies between
 * them. Memory is counted: the tensors that are alive as each operator runs, in the order in which they ran, and what
 * the kernels take beside them.
 */
export const modelProfileSchema = figuresSchema.extend({
  className: z.string(),
  settings: profileSettingsSchema,
  /** Of the weights, which stay pages of their files. */
  weightBytes: z.number(),
  /** In the model's order. Their times sum to the model's. */
  blocks: z.array(partProfileSchema),
  layers: z.array(layerProfileSchema),
})
export type ModelProfile = z.infer<typeof modelProfileSchema>

/** A map of processors and a chunking: what `autotune` chooses among. */
export const tuningSchema = profileSettingsSchema.pick({ attnProcessor: true, forwardChunking: true })
export type Tuning = z.infer<typeof tuningSchema>

export const proposalSchema = tuningSchema.extend({
  /** "Fastest", "Balanced", "Least memory", or "As it is" for what the model does without a choice. */
  name: z.string(),
  /** Put together from the layers' figures. */
  predicted: figuresSchema,
  /** Of the whole model: the time of its runs, and its memory, counted. */
  measured: figuresSchema,
  /** Whether it stays within the memory that was allowed. */
  fits: z.boolean(),
})
export type Proposal = z.infer<typeof proposalSchema>

export const autotuneSettingsSchema = profileShapeSchema.extend({ memoryBytes: z.number().positive().nullable() })
export type AutotuneSettings = z.infer<typeof autotuneSettingsSchema>

export const tuneReportSchema = z.object({
  className: z.string(),
  settings: autotuneSettingsSchema,
  weightBytes: z.number(),
  /** The fastest first. */
  proposals: z.array(proposalSchema).min(1),
  /** The name of the one to take where nobody chooses: the fastest that fits, else the one with the least memory. */
  advised: z.string(),
  /** Attention and feed-forward layers, and how many of them differ: equal ones share their measurements. */
  layers: z.int(),
  shapes: z.int(),
})
export type TuneReport = z.infer<typeof tuneReportSchema>

/** A proposal that was chosen, for one model, shape and processor. */
export const keptTuningSchema = tuningSchema.extend({ name: z.string(), measured: figuresSchema, keptAt: z.number() })
export type KeptTuning = z.infer<typeof keptTuningSchema>
