import { mediaKind } from './media-kind.ts'
import { getGifRecipe, putGifRecipe } from './recipe-gif.ts'
import { getPngRecipe, putPngRecipe } from './recipe-png.ts'
import { checkRecipe, isJsonObject, maxRecipeBytes } from './recipe-text.ts'
import { getWebpRecipe, putWebpRecipe } from './recipe-webp.ts'

/**
 * The recipe, a JSON object as text, that a PNG, GIF or WebP file carries; undefined when there is none. Never throws.
 * Where it is: PNG, an iTXt chunk with keyword `frameloom`; GIF, a comment extension `frameloom:{...}`; WebP, the XMP
 * property recipe of namespace urn:frameloom:recipe:1; and, read by mediabunny elsewhere, MP4, MOV, WebM: a comment tag
 * `frameloom:{...}`.
 */
export function readRecipe(bytes: Uint8Array): string | undefined {
  const recipe = readText(bytes)
  return recipe !== undefined && recipe.length <= maxRecipeBytes && isJsonObject(recipe) ? recipe : undefined
}

function readText(bytes: Uint8Array): string | undefined {
  const kind = mediaKind(bytes)
  if (kind === 'png') return getPngRecipe(bytes)
  if (kind === 'gif') return getGifRecipe(bytes)
  return kind === 'webp' ? getWebpRecipe(bytes) : undefined
}

/**
 * The PNG, GIF or WebP file with the recipe in it; throws `bad-input` for a recipe that is not a JSON object, Error for
 * another file.
 */
export function writeRecipe(bytes: Uint8Array, recipe: string): Uint8Array {
  checkRecipe(recipe)
  const kind = mediaKind(bytes)
  if (kind === 'png') return putPngRecipe(bytes, recipe)
  if (kind === 'gif') return putGifRecipe(bytes, recipe)
  if (kind === 'webp') return putWebpRecipe(bytes, recipe)
  throw new Error(`a recipe cannot be put into this kind of file (${kind})`)
}
