import { z } from 'zod'
import { namesMaking, runRequestSchema, type NameMaking, type RunRequest } from './pipelines.ts'

/** sha256 in hex of each weight file, by its path inside the model's folder. */
export const weightHashesSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/))

/** A model as a recipe names it: enough to find it again, and to tell when another one stands in its place. */
export const modelReferenceSchema = z.object({
  id: z.string(),
  name: z.string(),
  sha256: weightHashesSchema,
})
export type ModelReference = z.infer<typeof modelReferenceSchema>

/** All that is needed to make a picture or a clip again. Embedded as JSON in every file the studio writes. */
export type Recipe = RunRequest<NameMaking<'clip' | 'still'>> & {
  frameloom: 2
  appVersion: string
  /** By role, in the order of the settings' own. */
  models: Record<string, ModelReference[]>
}

const currentRecipeSchema = z.intersection(
  runRequestSchema,
  z.object({
    frameloom: z.literal(2),
    appVersion: z.string(),
    pipeline: z.enum(namesMaking('clip', 'still')),
    models: z.record(z.string(), z.array(modelReferenceSchema)),
  }),
)

/** A recipe of this version, or of an earlier one, which is brought to this one. */
export const recipeSchema = z.preprocess(migrateRecipe, currentRecipeSchema) as unknown as z.ZodType<Recipe>

/** Version 1 knew one pipeline and had its models beside the settings. */
const firstRecipeSchema = z.looseObject({
  frameloom: z.literal(1),
  model: z.unknown(),
  motionAdapter: z.unknown().nullable(),
  loras: z.unknown().default([]),
  customDiffusion: z.unknown().default([]),
})

function migrateRecipe(value: unknown): unknown {
  const first = firstRecipeSchema.safeParse(value)
  if (!first.success) return value
  const { model, motionAdapter, loras, customDiffusion, ...rest } = first.data
  const adapters = motionAdapter === null ? [] : [motionAdapter]
  return { ...rest, frameloom: 2, models: { model: [model], motionAdapter: adapters, loras, customDiffusion } }
}
