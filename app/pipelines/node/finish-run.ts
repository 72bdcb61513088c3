import { stat } from 'node:fs/promises'
import type { z } from 'zod'
import type { RunResult } from '#app/contract/engine.ts'
import type { PipelineName } from '#app/contract/pipelines.ts'
import type { ModelReference, PictureRecipe, Recipe } from '#app/contract/recipe.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { encodeClip } from '#app/media/node/encode.ts'
import { isOneColour } from '../pixels.ts'
import type { RunContext, RunOf, RunTools } from './run.ts'

/** All that is needed to make the same again: `settings` with what was changed while it was made. */
export async function recipeOf<R extends Recipe>(
  schema: z.ZodType<R>,
  { referenceOf }: RunTools,
  { pipeline, models, appVersion }: Pick<RunOf<PipelineName>, 'pipeline' | 'models' | 'appVersion'>,
  { signal }: RunContext,
  settings: object,
): Promise<R> {
  const references: Record<string, ModelReference[]> = {}
  for (const [role, found] of Object.entries(models)) {
    references[role] = []
    for (const one of found) references[role].push(await referenceOf(one, signal))
  }
  return schema.parse({ frameloom: 2, appVersion, pipeline, settings, models: references })
}

/** Writes a clip or a still as a lossless WebP with its recipe inside. */
export async function savePicture(
  { out, frames, fps }: { out: string; frames: readonly RgbFrame[]; fps: number },
  recipe: PictureRecipe,
  notes: string[],
  { signal }: RunContext,
): Promise<RunResult> {
  await encodeClip({ clip: { frames, fps }, format: 'webp', out, recipe: JSON.stringify(recipe), signal })
  return { kind: 'picture', recipe, bytes: (await stat(out)).size, notes }
}

/** What is to be said of pictures that show nothing at all; undefined where they show something. */
export const emptyNote = (frames: readonly RgbFrame[]): string | undefined =>
  frames.every(isOneColour)
    ? `${frames.length === 1 ? 'The picture is' : 'All frames are'} one colour. Try another seed or another scheduler, and float32 if the precision is another; if it stays so, the checkpoint may be damaged.`
    : undefined
