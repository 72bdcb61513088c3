import { z } from 'zod'
import { namesMaking, runRequestSchema, type NameMaking, type RunRequest } from './pipelines.ts'
import type { MakesFile } from './pipelines/pipeline.ts'

/** sha256 in hex of each weight file, by its path inside the model's folder. */
export const weightHashesSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/))

/** A model as a recipe names it: enough to find it again, and to tell when another one stands in its place. */
export const modelReferenceSchema = z.object({
  id: z.string(),
  name: z.string(),
  sha256: weightHashesSchema,
})
export type ModelReference = z.infer<typeof modelReferenceSchema>

/** All that is needed to make such a thing again. */
export type RecipeOf<M extends MakesFile> = RunRequest<NameMaking<M>> & {
  frameloom: 2
  appVersion: string
  /** By role, in the order of the settings' own. */
  models: Record<string, ModelReference[]>
}
export type PictureRecipe = RecipeOf<'clip' | 'still'>
/** Embedded as JSON in every file the studio writes. */
export type Recipe = RecipeOf<MakesFile>

/** A recipe of this version, or of an earlier one, which is brought to this one. */
const recipeFor = <M extends MakesFile>(...makes: readonly M[]): z.ZodType<RecipeOf<M>> =>
  z.preprocess(
    migrateRecipe,
    z.intersection(
      runRequestSchema,
      z.object({
        frameloom: z.literal(2),
        appVersion: z.string(),
        pipeline: z.enum(namesMaking(...makes)),
        models: z.record(z.string(), z.array(modelReferenceSchema)),
      }),
    ),
  ) as unknown as z.ZodType<RecipeOf<M>>

export const pictureRecipeSchema = recipeFor('clip', 'still')
export const embeddingRecipeSchema = recipeFor('embedding')
export const recipeSchema = recipeFor('clip', 'still', 'embedding')

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
