import { z } from 'zod'
import { generateSettingsSchema } from './settings.ts'

/** sha256 in hex of each weight file, by its path inside the model's folder. */
export const weightHashesSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/))

/** A model as a recipe names it: enough to find it again, and to tell when another one stands in its place. */
export const modelReferenceSchema = z.object({
  id: z.string(),
  name: z.string(),
  sha256: weightHashesSchema,
})
export type ModelReference = z.infer<typeof modelReferenceSchema>

/** All that is needed to make a clip again. Embedded as JSON in every file the studio writes. */
export const recipeSchema = z.object({
  frameloom: z.literal(1),
  appVersion: z.string(),
  pipeline: z.literal('text-to-video'),
  settings: generateSettingsSchema,
  model: modelReferenceSchema,
  motionAdapter: modelReferenceSchema.nullable(),
  /** In the order of the settings' own. */
  loras: z.array(modelReferenceSchema).default([]),
  /** Those that the attention processors name. */
  customDiffusion: z.array(modelReferenceSchema).default([]),
})
export type Recipe = z.infer<typeof recipeSchema>
