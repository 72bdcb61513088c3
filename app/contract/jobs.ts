import { z } from 'zod'
import { problemSchema } from './errors.ts'
import { pipelineNames } from './pipelines.ts'
import { freeUSchema, loraScalesSchema } from './settings.ts'

export const jobStatuses = ['queued', 'loading', 'running', 'done', 'failed', 'cancelled', 'interrupted'] as const
export type JobStatus = (typeof jobStatuses)[number]

/** True when nothing more will happen to a job of this status. */
export const isFinished = (status: JobStatus): boolean => !['queued', 'loading', 'running'].includes(status)

/** A job as the page sees it. Sent whole at each change: it is small. */
export const jobSchema = z.object({
  id: z.string(),
  pipeline: z.enum(pipelineNames),
  status: z.enum(jobStatuses),
  createdAt: z.number(),
  /** The prompt or the file's name. */
  title: z.string(),
  /** What tells it from others of the same title; absent where nothing is drawn by chance. */
  seed: z.number().optional(),
  /** What it does now, in words: "Reading weights", "Step 3 of 20", "Decoding frame 2 of 8". */
  stage: z.string(),
  /** Finished denoising steps and their number; 0 of 0 when it has none. */
  step: z.int(),
  totalSteps: z.int(),
  /** Of the whole job, 0 to 1. */
  progress: z.number(),
  secondsLeft: z.number().optional(),
  /** Bumped when new preview pixels can be fetched from the media route. */
  previewStep: z.int().optional(),
  /** FreeU as the next step will use it. */
  freeu: freeUSchema.nullable(),
  /** FreeU as the last finished step used it; absent before the first. */
  freeuUsed: freeUSchema.nullable().optional(),
  /** The LoRAs' scales, in the same way. */
  loraScales: loraScalesSchema.default({}),
  loraScalesUsed: loraScalesSchema.optional(),
  /** A warning that does not stop the job: text that did not fit, frames repeated. */
  notes: z.array(z.string()),
  problem: problemSchema.optional(),
  /**
   * What its result will be called. Known before anything is written, so that whenever Frameloom ends, the next start
   * can tell whose result it finds.
   */
  resultId: z.string().optional(),
})
export type Job = z.infer<typeof jobSchema>
