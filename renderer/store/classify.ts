import { createStore, useStore } from 'zustand'
import type { ModelEntry } from '#app/contract/models.ts'
import { defaultSettings } from '#app/contract/pipelines.ts'
import type { ClassifySettings } from '#app/contract/pipelines/video-classification.ts'
import { isUsable, modelsFor } from './models.ts'

/** The classify form as it stands. */
export type ClassifyState = {
  /** `model` is empty until the models are known. */
  draft: ClassifySettings
  /** Files that are classified after the one that is looked at, in their order. */
  others: readonly File[]
  /** What the page does before the job exists: "Reading frames". */
  preparing: string | null
  problem: string | null
}

export const classifyStore = createStore<ClassifyState>(() => ({
  draft: defaultSettings('video-classification'),
  others: [],
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
  const first = modelsFor(models, 'video-classifier').find(isUsable)
  if (first) editClassify({ model: first.id })
}
