import type { ViewId } from '#app/contract/views.ts'
import { classifyView } from './classify/view.ts'
import { generateView } from './generate/view.ts'
import type { View } from './view.ts'

/** Every view of the studio. */
export const views: Readonly<Record<ViewId, View>> = {
  generate: generateView,
  classify: classifyView,
}
