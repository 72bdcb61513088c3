import type { ModelEntry, ModelKind } from '#app/contract/models.ts'

export const isUsable = (model: ModelEntry): boolean => !model.problem

/** Those of a kind, the usable ones first. */
export const modelsFor = (models: readonly ModelEntry[], kind: ModelKind): ModelEntry[] =>
  models.filter((model) => model.kind === kind).sort((a, b) => Number(!isUsable(a)) - Number(!isUsable(b)))
