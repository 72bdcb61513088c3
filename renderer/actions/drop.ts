import type { ModelEntry } from '#app/contract/models.ts'
import { recipeSchema, type Recipe } from '#app/contract/recipe.ts'
import { readRecipeFromBlob } from '#renderer/media/recipe.ts'
import { draftStore, fromSettings } from '#renderer/store/draft.ts'
import { callHost } from '#renderer/store/host.ts'
import { changedModels, missingModels } from '#renderer/store/recipe-warnings.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { setView } from '#renderer/store/view.ts'
import { tell, tellFailure } from '#renderer/store/toasts.ts'
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
  const { models } = studioStore.getState()
  const warnings = missingModels(recipe, models)
  draftStore.setState((draft) => fromSettings(recipe.settings, draft))
  setView({ view: 'generate' })
  const { settings } = recipe
  const what = `Prompt, seed ${settings.seed}, ${settings.numFrames} frames at ${settings.width} × ${settings.height}, ${settings.numInferenceSteps} steps and the rest, from ${file.name}.`
  const classifyIt = { label: 'Classify it instead', perform: () => lookAtFile(file) }
  if (warnings.length === 0) tell('success', 'Settings restored', what, classifyIt)
  else tell('warning', 'Settings restored, with a warning', warnings.join(' '), classifyIt)
  void compareWeights(recipe, models)
}

/** Goes on in the background: weights that were never hashed take a while to read. */
async function compareWeights(recipe: Recipe, models: readonly ModelEntry[]): Promise<void> {
  try {
    const warnings = await changedModels(recipe, models, (id) => callHost((host) => host.weightHashes({ id })))
    if (warnings.length > 0) tell('warning', 'The clip may not come out the same', warnings.join(' '))
  } catch (error) {
    tellFailure('The weights could not be compared with those of the clip', error)
  }
}
