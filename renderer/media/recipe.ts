import { BlobSource, Input, MATROSKA, MP4, QTFF, WEBM } from 'mediabunny'
import { mediaKind } from '#app/media/media-kind.ts'
import { fileTexts } from '#app/media/file-texts.ts'
import { foreignRecipe, type ForeignRecipe } from '#app/media/foreign-recipe.ts'
import { readRecipe } from '#app/media/recipe-metadata.ts'
import { fromComment, isJsonObject, maxRecipeBytes } from '#app/media/recipe-text.ts'

/** Pictures above this are not ours, and not worth reading whole to look for a recipe. */
const largestPicture = 1 << 28

/**
 * The recipe, a JSON object as text, in any file that Frameloom writes; null when there is none. Never throws for what
 * the bytes are.
 */
export async function readRecipeFromBlob(file: Blob): Promise<string | null> {
  const kind = mediaKind(new Uint8Array(await file.slice(0, 4096).arrayBuffer()))
  if (kind === 'isobmff' || kind === 'matroska') return (await videoRecipe(file)) ?? null
  return file.size > largestPicture ? null : (readRecipe(new Uint8Array(await file.arrayBuffer())) ?? null)
}

/** The recipe of another program in a picture. Never throws for what the bytes are. */
export async function readForeignFromBlob(file: Blob): Promise<ForeignRecipe | undefined> {
  return file.size > largestPicture ? undefined : foreignRecipe(fileTexts(new Uint8Array(await file.arrayBuffer())))
}

// A file that mediabunny cannot parse has no recipe of ours.
async function videoRecipe(file: Blob): Promise<string | undefined> {
  const input = new Input({ source: new BlobSource(file), formats: [MP4, QTFF, WEBM, MATROSKA] })
  try {
    const recipe = fromComment((await input.getMetadataTags()).comment)
    return recipe !== undefined && recipe.length <= maxRecipeBytes && isJsonObject(recipe) ? recipe : undefined
  } catch {
    return undefined
  } finally {
    input.dispose()
  }
}
