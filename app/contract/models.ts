import { z } from 'zod'
import { problemSchema } from './errors.ts'
import { betaSchedules } from './schedulers.ts'

/** What a checkpoint folder can be used for. */
export const modelTasks = [
  'text-to-video',
  'motion-adapter',
  'lora',
  'custom-diffusion',
  'video-classification',
] as const

/** A checkpoint the studio found, as the page sees it. The page names models by id, never by path. */
export const modelEntrySchema = z.object({
  id: z.string(),
  name: z.string(),
  task: z.enum(modelTasks),
  /** The reference class that opens it: StableDiffusionPipeline, MotionAdapter, TimesformerForVideoClassification ... */
  className: z.string(),
  source: z.enum(['bundled', 'folder']),
  /** Where it is, to be shown. */
  location: z.string(),
  /** Of its weight files. */
  bytes: z.number(),
  /** Element types found, for example "float16". */
  precision: z.string(),
  /** A small demonstration, not a model for real work. */
  demo: z.boolean(),
  /** text-to-video: true when it needs a motion adapter beside it (its UNet is two-dimensional). */
  needsMotionAdapter: z.boolean(),
  /** Block channels of the UNet or the adapter: they must be equal for the two to fit. */
  blockOutChannels: z.array(z.int()).optional(),
  /** Frames: the most a motion module takes, or what a classifier samples. */
  numFrames: z.int().optional(),
  numLabels: z.int().optional(),
  /** Width and height it was trained for, in pixels. */
  nativeSize: z.int().optional(),
  /** Width and height must be multiples of this, in pixels. */
  sizeMultiple: z.int().optional(),
  /** Settings that suit it. */
  suggested: z
    .object({
      numFrames: z.int(),
      numInferenceSteps: z.int(),
      guidanceScale: z.number(),
      prompt: z.string(),
      betaSchedule: z.enum(betaSchedules),
    })
    .partial()
    .optional(),
  /** Why it cannot be used, where it cannot. */
  problem: problemSchema.optional(),
})
export type ModelEntry = z.infer<typeof modelEntrySchema>
