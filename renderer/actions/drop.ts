import { recipeSchema, type ModelReference, type Recipe } from '#app/contract/recipe.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import type { Result } from '#app/contract/results.ts'
import { readRecipeFromBlob } from '#renderer/media/recipe.ts'
import { draftStore, fromSettings } from '#renderer/store/draft.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { setView } from '#renderer/store/view.ts'
import { tell, tellFailure } from '#renderer/ui/toasts.ts'
import { lookAtFile } from './classify.ts'

const looksLikeClip = (file: File): boolean =>
  /^(video|image)\//.test(file.type) || /\.(mp4|m4v|mov|webm|mkv|avi|gif|webp|png)$/i.test(file.name)

/** A file dropped on the page: one that carries a recipe restores its settings, any other clip goes to Classify. */
export async function takeFile(file: File): Promise<void> {
  if (!looksLikeClip(file)) {
    tell('error', `${file.name} is not a clip`, 'Drop an MP4, WebM, MOV, GIF or WebP file.')
    return
  }
  const recipe = await recipeIn(file)
  if (recipe) restore(file, recipe)
  else lookAtFile(file)
}

async function recipeIn(file: File): Promise<Recipe | null> {
  let json: string | null
  try {
    json = await readRecipeFromBlob(file)
  } catch {
    // A file too damaged to look into is Classify's to explain.
    return null
  }
  if (json === null) return null
  try {
    return recipeSchema.parse(JSON.parse(json))
  } catch (error) {
    tellFailure(`The recipe in ${file.name} cannot be read`, error)
    return null
  }
}

function restore(file: File, recipe: Recipe): void {
  const { models, results } = studioStore.getState()
  const warnings = recipeWarnings(recipe, models, results)
  draftStore.setState((draft) => fromSettings(recipe.settings, draft))
  setView({ view: 'generate' })
  const { settings } = recipe
  const what = `Prompt, seed ${settings.seed}, ${settings.numFrames} frames at ${settings.width} × ${settings.height}, ${settings.numInferenceSteps} steps and the rest, from ${file.name}.`
  const classifyIt = { label: 'Classify it instead', perform: () => lookAtFile(file) }
  if (warnings.length === 0) tell('success', 'Settings restored', what, classifyIt)
  else tell('warning', 'Settings restored, but', warnings.join(' '), classifyIt)
}

/** Why the clip may not come out the same here. Hashes are known for models that made a clip of this library. */
export function recipeWarnings(recipe: Recipe, models: readonly ModelEntry[], results: readonly Result[]): string[] {
  const references = [recipe.model, ...(recipe.motionAdapter ? [recipe.motionAdapter] : [])]
  const warnings = references.flatMap((reference) => {
    if (!models.some((model) => model.id === reference.id))
      return [`The model “${reference.name}” is not here: add its folder in Settings, or choose another.`]
    const known = knownHashes(reference.id, results)
    return known && !sameHashes(known, reference.sha256)
      ? [`“${reference.name}” here has other weights than the ones this clip was made with: it will look different.`]
      : []
  })
  if (recipe.settings.freeuChanges.length > 0)
    warnings.push('FreeU was moved while it ran; the form holds the values that it started with.')
  return warnings
}

function knownHashes(id: string, results: readonly Result[]): ModelReference['sha256'] | undefined {
  for (const result of results) {
    if (result.kind !== 'clip') continue
    for (const reference of [result.recipe.model, result.recipe.motionAdapter])
      if (reference?.id === id) return reference.sha256
  }
  return undefined
}

const sameHashes = (a: ModelReference['sha256'], b: ModelReference['sha256']): boolean =>
  Object.keys({ ...a, ...b }).every((file) => a[file] === b[file])
