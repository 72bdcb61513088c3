import { recipeSchema, type Recipe } from '#app/contract/recipe.ts'
import type { ForeignRecipe } from '#app/media/foreign-recipe.ts'
import { readForeignFromBlob, readRecipeFromBlob } from '#renderer/media/recipe.ts'
import { tell, tellFailure, type ToastAction } from '#renderer/store/toasts.ts'

/** Who takes what is dropped on the page. */
export type Takers = {
  /** `from`: the file's name; `instead`: to look at the file after all. */
  restore: (recipe: Recipe, from: string, instead: ToastAction) => void
  /** The same for what another program left. */
  adopt: (recipe: ForeignRecipe, from: string, instead: ToastAction) => void
  look: (...files: File[]) => void
  /** What `look` is called: "Classify it instead". */
  instead: string
}

const looksLikeClip = (file: File): boolean =>
  /^(video|image)\//.test(file.type) || /\.(mp4|m4v|mov|webm|mkv|avi|gif|webp|png|apng|jpe?g)$/i.test(file.name)

/**
 * Files dropped on the page: one alone that carries a recipe restores its settings, all others are looked at. A form
 * holds the settings of one, so several are clips to be looked at, whatever they carry.
 */
export async function takeFiles(files: readonly File[], { restore, adopt, look, instead }: Takers): Promise<void> {
  const [strangers, clips] = [files.filter((file) => !looksLikeClip(file)), files.filter(looksLikeClip)]
  if (strangers.length > 0) {
    const names = strangers.map(({ name }) => name).join(', ')
    const title = strangers.length === 1 ? `${names} is not a clip` : `${strangers.length} files are not clips`
    const what = strangers.length === 1 ? '' : `${names}. `
    tell('error', title, `${what}Drop an MP4, WebM, MOV, GIF, PNG or WebP file.`)
  }
  const [file] = clips
  if (!file) return
  if (clips.length > 1) {
    look(...clips)
    tell('info', `${clips.length} clips to classify`, 'Drop one alone to get back the settings that it was made with.')
    return
  }
  const recipe = await recipeIn(file)
  const lookInstead = { label: instead, perform: () => look(file) }
  const foreign = recipe ? undefined : await readForeignFromBlob(file).catch(() => undefined)
  if (recipe) restore(recipe, file.name, lookInstead)
  else if (foreign) adopt(foreign, file.name, lookInstead)
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
