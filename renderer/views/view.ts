import type { LucideIcon } from 'lucide-react'
import type { ComponentType } from 'react'
import type { ModelEntry } from '#app/contract/models.ts'
import type { Recipe } from '#app/contract/recipe.ts'
import type { ForeignRecipe } from '#app/media/foreign-recipe.ts'
import type { Result } from '#app/contract/results.ts'
import type { ToastAction } from '#renderer/store/toasts.ts'

/**
 * What a view is made of. Its title, its key and what it shows of the library are in the contract, for menus and
 * stores.
 */
export type View = {
  icon: LucideIcon
  /** The thread that stands for what it does. */
  thread: 'warp' | 'weft'
  /** `wide`: the inspector has a column of its own. Where it has none, what cannot be missed of it joins the form. */
  Form: ComponentType<{ wide: boolean }>
  Stage: ComponentType
  Inspector: ComponentType
  run: () => Promise<void>
  /** A result of its kinds in the library, and what can be done with it there. */
  Tile: ComponentType<{ result: Result }>
  TileMenu: ComponentType<{ result: Result }>
  /** Whenever models are found. */
  chooseModel: (models: readonly ModelEntry[]) => void
  /** It follows what is under way; a reload brings that back, or else the newest result. */
  resumes: boolean
  /** Takes a file that carries a recipe. `from`: its name; `instead`: to look at the file after all. */
  restore?: (recipe: Recipe, from: string, instead: ToastAction) => void
  /** Takes a file that carries a recipe of another program, in the same way. */
  adopt?: (recipe: ForeignRecipe, from: string, instead: ToastAction) => void
  /** Takes any other clips that are dropped. */
  look?: (...files: File[]) => void
}
