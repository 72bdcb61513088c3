import { ProblemError } from '#app/contract/errors.ts'

/** The one name under which every format carries the recipe. */
export const recipeKey = 'frameloom'

/** A recipe is a few kB; what is larger is refused on the way in and not looked at on the way out. */
export const maxRecipeBytes = 1 << 20

/** Where a format has one comment that belongs to everybody, ours begins with the key: `frameloom:{...}`. */
export const toComment = (recipe: string): string => `${recipeKey}:${recipe}`

export const fromComment = (comment: string | undefined): string | undefined =>
  comment?.startsWith(`${recipeKey}:`) ? comment.slice(recipeKey.length + 1) : undefined

/** Throws a `bad-input` problem unless the recipe is a JSON object of reasonable size. */
export function checkRecipe(recipe: string): void {
  if (recipe.length > maxRecipeBytes)
    throw new ProblemError(
      'bad-input',
      `the recipe is ${recipe.length} characters long; ${maxRecipeBytes} fit into a file`,
    )
  if (!isJsonObject(recipe)) throw new ProblemError('bad-input', 'the recipe is not a JSON object')
}

export function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
