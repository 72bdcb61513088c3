import { readFile } from 'node:fs/promises'
import { recipeSchema, type Recipe } from '#app/contract/recipe.ts'
import { parseJson } from '#app/library/rows.ts'
import { getWebpRecipe } from '#app/media/recipe-webp.ts'

/**
 * The recipe inside a clip of the library: chunks are read, no pixel is decoded. Null when it has none that can be
 * used.
 */
export async function readClipRecipe(file: string): Promise<Recipe | null> {
  const parsed = parseJson(recipeSchema, getWebpRecipe(await readFile(file)))
  return parsed.ok ? parsed.value : null
}
