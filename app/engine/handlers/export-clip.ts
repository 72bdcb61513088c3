import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fields } from '#app/contract/pipelines/fields.ts'
import { recipeSchema } from '#app/contract/recipe.ts'
import { openClip } from '#app/media/node/decode.ts'
import { encodeClip } from '#app/media/node/encode.ts'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import type { Handler } from '../call.ts'

/**
 * Writes a clip file in another format, its recipe too. The speed is `fps`, else the recipe's (a WebP keeps whole
 * milliseconds only), else the file's. A clip without a recipe gets an empty one.
 */
export const exportClip = async function* ({ file, format, out, fps }, { signal }) {
  yield { type: 'stage', stage: 'Reading frames', progress: 0 }
  const recipe = (await readRecipeFile(file)) ?? '{}'
  const made = recipeSchema.safeParse(JSON.parse(recipe))
  const clip = await openClip(file, { signal })
  const frames = await clip.readFrames(
    Array.from({ length: clip.frameCount }, (_, i) => i),
    signal,
  )
  yield { type: 'stage', stage: `Writing ${format.toUpperCase()}`, progress: 0.5 }
  const settings: Partial<Fields> = made.data?.settings ?? {}
  const speed = fps ?? settings.fps ?? clip.fps
  await encodeClip({ clip: { frames, fps: speed }, format, out, recipe, signal })
  return { bytes: await bytesOf(out) }
} satisfies Handler<'exportClip'>

/** Of a file, or of all files of a folder. */
async function bytesOf(path: string): Promise<number> {
  const found = await stat(path)
  if (!found.isDirectory()) return found.size
  const sizes = (await readdir(path)).map(async (name) => (await stat(join(path, name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
