import type { ModelEntry } from '#app/contract/models.ts'
import type { ModelReference, Recipe } from '#app/contract/recipe.ts'
import type { Result } from '#app/contract/results.ts'

/** Why the clip may not come out the same here. Hashes are known for models that made a clip of this library. */
export function recipeWarnings(recipe: Recipe, models: readonly ModelEntry[], results: readonly Result[]): string[] {
  return referencesOf(recipe).flatMap((reference) => {
    if (!models.some((model) => model.id === reference.id))
      return [`The model “${reference.name}” is not here: add its folder in Settings, or choose another.`]
    const known = knownHashes(reference.id, results)
    return known && !sameHashes(known, reference.sha256)
      ? [`“${reference.name}” here has other weights than the ones this clip was made with: it will look different.`]
      : []
  })
}

const referencesOf = ({ model, motionAdapter, loras }: Recipe): ModelReference[] => [
  model,
  ...(motionAdapter ? [motionAdapter] : []),
  ...loras,
]

function knownHashes(id: string, results: readonly Result[]): ModelReference['sha256'] | undefined {
  for (const result of results) {
    if (result.kind !== 'clip') continue
    for (const reference of referencesOf(result.recipe)) if (reference.id === id) return reference.sha256
  }
  return undefined
}

const sameHashes = (a: ModelReference['sha256'], b: ModelReference['sha256']): boolean =>
  Object.keys({ ...a, ...b }).every((file) => a[file] === b[file])
