import type { ModelEntry } from '#app/contract/models.ts'
import type { ModelReference, Recipe } from '#app/contract/recipe.ts'

/** The models of a recipe that are not here, in words. */
export const missingModels = (recipe: Recipe, models: readonly ModelEntry[]): string[] =>
  referencesOf(recipe)
    .filter((reference) => !models.some((model) => model.id === reference.id))
    .map(({ name }) => `The model “${name}” is not here: add its folder in Settings, or choose another.`)

/**
 * The models of a recipe that are here with other weights, in words. `hashesOf` gives those of a model of this machine;
 * it is asked for what is here, one after the other.
 */
export async function changedModels(
  recipe: Recipe,
  models: readonly ModelEntry[],
  hashesOf: (id: string) => Promise<ModelReference['sha256']>,
): Promise<string[]> {
  const warnings: string[] = []
  for (const { id, name, sha256 } of referencesOf(recipe)) {
    if (Object.keys(sha256).length === 0 || !models.some((model) => model.id === id)) continue
    if (!sameHashes(await hashesOf(id), sha256))
      warnings.push(`“${name}” here has other weights than the ones this clip was made with: it will look different.`)
  }
  return warnings
}

const referencesOf = ({ models }: Recipe): ModelReference[] => Object.values(models).flat()

const sameHashes = (a: ModelReference['sha256'], b: ModelReference['sha256']): boolean =>
  Object.keys({ ...a, ...b }).every((file) => a[file] === b[file])
