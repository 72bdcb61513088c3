import { recipeSchema, type Recipe } from '#app/contract/recipe.ts'
import { readRecipeFromBlob } from '#renderer/media/recipe.ts'
import { tell, tellFailure, type ToastAction } from '#renderer/store/toasts.ts'

/** Who takes what is dropped on the page. */
export type Takers = {
  /** `from`: the file's name; `instead`: to look at the file after all. */
  restore: (recipe: Recipe, from: string, instead: ToastAction) => void
  look: (file: File) => void
  /** What `look` is called: "Classify it instead". */
  instead: string
}

const looksLikeClip = (file: File): boolean =>
  /^(video|image)\//.test(file.type) || /\.(mp4|m4v|mov|webm|mkv|avi|gif|webp|png)$/i.test(file.name)

/** A file dropped on the page: one that carries a recipe restores its settings, any other clip is looked at. */
export async function takeFile(file: File, { restore, look, instead }: Takers): Promise<void> {
  if (!looksLikeClip(file)) {
    tell('error', `${file.name} is not a clip`, 'Drop an MP4, WebM, MOV, GIF or WebP file.')
    return
  }
  const recipe = await recipeIn(file)
  if (recipe) restore(recipe, file.name, { label: instead, perform: () => look(file) })
  else look(file)
}

async function recipeIn(file: File): Promise<Recipe | null> {
  let json: string | null
  try {
    json = await readRecipeFromBlob(file)
  } catch {
    // A file too damaged to look into is for the classifier to explain.
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
