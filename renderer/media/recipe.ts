import { BlobSource, Input, MATROSKA, MP4, QTFF, WEBM } from 'mediabunny'
import { mediaKind, type MediaKind } from '#app/media/media-kind.ts'
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
  if (isVideo(await kindOf(file))) return (await videoRecipe(file)) ?? null
  return file.size > largestPicture ? null : (readRecipe(new Uint8Array(await file.arrayBuffer())) ?? null)
}

/** The recipe of another program in a picture or a video. Never throws for what the bytes are. */
export async function readForeignFromBlob(file: Blob): Promise<ForeignRecipe | undefined> {
  if (isVideo(await kindOf(file))) {
    const comment = await videoComment(file)
    return comment === undefined ? undefined : foreignRecipe(new Map([['comment', comment]]))
  }
  return file.size > largestPicture ? undefined : foreignRecipe(fileTexts(new Uint8Array(await file.arrayBuffer())))
}

const kindOf = async (file: Blob): Promise<MediaKind> =>
  mediaKind(new Uint8Array(await file.slice(0, 4096).arrayBuffer()))
const isVideo = (kind: MediaKind): boolean => kind === 'isobmff' || kind === 'matroska'

async function videoRecipe(file: Blob): Promise<string | undefined> {
  const recipe = fromComment(await videoComment(file))
  return recipe !== undefined && recipe.length <= maxRecipeBytes && isJsonObject(recipe) ? recipe : undefined
}

// A file that mediabunny cannot parse has no comment.
async function videoComment(file: Blob): Promise<string | undefined> {
  const input = new Input({ source: new BlobSource(file), formats: [MP4, QTFF, WEBM, MATROSKA] })
  try {
    return (await input.getMetadataTags()).comment
  } catch {
    return undefined
  } finally {
    input.dispose()
  }
}
