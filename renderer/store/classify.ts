import { createStore, useStore } from 'zustand'
import { defaultCompute } from '#app/contract/compute.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import type { ClassifySettings } from '#app/contract/settings.ts'
import { isUsable, modelsFor } from './models.ts'

/** The classify form as it stands. */
export type ClassifyState = {
  /** `model` is empty until the models are known. */
  draft: ClassifySettings
  /** What the page does before the job exists: "Reading frames". */
  preparing: string | null
  problem: string | null
}

export const classifyStore = createStore<ClassifyState>(() => ({
  draft: { model: '', sampling: { kind: 'even' }, topK: 5, compute: defaultCompute },
  preparing: null,
  problem: null,
}))
export const useClassify = <T>(select: (state: ClassifyState) => T): T => useStore(classifyStore, select)

export const editClassify = (change: Partial<ClassifySettings>): void =>
  classifyStore.setState(({ draft }) => ({ draft: { ...draft, ...change }, problem: null }))

/** Chooses the first usable classifier in place of one that is not there. */
export function chooseClassifier(models: readonly ModelEntry[]): void {
  const { draft } = classifyStore.getState()
  if (models.some((model) => model.id === draft.model)) return
  const first = modelsFor(models, 'video-classification').find(isUsable)
  if (first) editClassify({ model: first.id })
}
