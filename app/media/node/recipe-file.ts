import { open, readFile } from 'node:fs/promises'
import { ProblemError } from '#app/contract/errors.ts'
import { mediaKind } from '../media-kind.ts'
import { readRecipe } from '../recipe-metadata.ts'
import { fromComment, isJsonObject, maxRecipeBytes } from '../recipe-text.ts'

/** Pictures above this are not ours, and not worth reading whole to look for a recipe. */
const largestPicture = 1 << 30

/**
 * The recipe, a JSON object as text, in any file that Frameloom writes; undefined when there is none. Throws
 * `not-found` and `disk`.
 */
export async function readRecipeFile(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, 'r')
    let pictures: boolean
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(4096), 0, 4096, 0)
      const kind = mediaKind(buffer.subarray(0, bytesRead))
      pictures = kind === 'png' || kind === 'gif' || kind === 'webp'
      if (pictures && (await handle.stat()).size > largestPicture) return undefined
      if (!pictures && kind !== 'isobmff' && kind !== 'matroska') return undefined
    } finally {
      await handle.close()
    }
    return pictures ? readRecipe(await readFile(file)) : await videoRecipe(file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new ProblemError('not-found', `${file}: there is no such file`, { file })
    throw new ProblemError('disk', `${file} cannot be read: ${message}`, { file, cause: error })
  }
}

// A file that mediabunny cannot parse has no recipe of ours.
async function videoRecipe(file: string): Promise<string | undefined> {
  // Read here and not at the engine's start, of which it would be a sixth.
  const { FilePathSource, Input, MATROSKA, MP4, QTFF, WEBM } = await import('mediabunny')
  const input = new Input({ source: new FilePathSource(file), formats: [MP4, QTFF, WEBM, MATROSKA] })
  try {
    const recipe = fromComment((await input.getMetadataTags()).comment)
    return recipe !== undefined && recipe.length <= maxRecipeBytes && isJsonObject(recipe) ? recipe : undefined
  } catch {
    return undefined
  } finally {
    input.dispose()
  }
}
