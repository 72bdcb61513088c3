import { open, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { recipeSchema, type Recipe } from '#app/contract/recipe.ts'
import { parseJson } from '#app/library/rows.ts'
import { getWebpRecipe } from '#app/media/recipe-webp.ts'

/**
 * The recipe inside a clip or an embedding of the library: chunks are read, no pixel is decoded. Null when it has none
 * that can be used.
 */
export async function readOwnRecipe(file: string): Promise<Recipe | null> {
  const text = file.endsWith('.safetensors') ? await metadataRecipe(file) : getWebpRecipe(await readFile(file))
  const parsed = parseJson(recipeSchema, text)
  return parsed.ok ? parsed.value : null
}

/** Two tensors and a recipe have a small header. */
const largestHeader = 1_000_000
const headerSchema = z.looseObject({ __metadata__: z.looseObject({ recipe: z.string() }) })

/** The text `recipe` among the metadata of a safetensors file; undefined when there is none. */
async function metadataRecipe(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r')
  try {
    const { buffer: start } = await handle.read(Buffer.alloc(8), 0, 8, 0)
    const length = Number(start.readBigUInt64LE())
    if (length > largestHeader) return undefined
    const { buffer: header, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 8)
    const parsed = parseJson(headerSchema, header.toString('utf8', 0, bytesRead))
    return parsed.ok ? parsed.value.__metadata__.recipe : undefined
  } finally {
    await handle.close()
  }
}
