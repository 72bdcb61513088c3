import { z } from 'zod'
import { problemSchema } from './errors.ts'

/** One model of what was opened: its architecture, and how its weights and its config agree. */
export const loadReportPartSchema = z.object({
  /** unet, vae, text_encoder ...; empty for a model by itself. */
  part: z.string(),
  /** The reference's class. */
  architecture: z.string(),
  /** Element type of most parameters; `dtypes` counts them by type. */
  precision: z.string(),
  dtypes: z.record(z.string(), z.int()),
  parameters: z.int(),
  bytes: z.int(),
  /** Keys that the architecture needs and the checkpoint lacks. */
  missing: z.array(z.string()),
  /** Keys that it has in another shape, as a message each. */
  wrong: z.array(z.string()),
  /** Keys of the checkpoint that no layer takes. */
  unused: z.array(z.string()),
  /** Why the agreement could not be checked, where it could not. */
  problem: problemSchema.optional(),
})
export type LoadReportPart = z.infer<typeof loadReportPartSchema>

/** What was found in a file or folder when it was opened. */
export const loadReportSchema = z.object({
  path: z.string(),
  /** In words: "Stable Diffusion 1.x, single file", "MotionAdapter", "LoRA" ... */
  kind: z.string(),
  parts: z.array(loadReportPartSchema),
  /** Keys of a single file that belong to none of its parts. */
  unused: z.array(z.string()),
  files: z.array(z.object({ path: z.string(), bytes: z.int(), sha256: z.string() })),
  notes: z.array(z.string()),
})
export type LoadReport = z.infer<typeof loadReportSchema>
