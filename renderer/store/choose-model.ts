import type { ModelEntry } from '#app/contract/models.ts'
import { pipelineOf, type PipelineName } from '#app/contract/pipelines.ts'
import { checkDraft } from './checks.ts'
import { draftStore, suitedTo, withModel, type Draft, type Maker } from './draft.ts'
import { isUsable, modelsFor } from './models.ts'

/** Chooses a model for a draft that has none yet: the first that can run at once, else the first usable one. */
export function withFirstModel(draft: Draft, models: readonly ModelEntry[]): Draft {
  if (draft.model !== '') return draft
  const { models: roles } = pipelineOf(draft.pipeline)
  const turned = modelsFor(models, roles.model!.kind)
    .filter(isUsable)
    .map((model) => withModel(draft, model, models))
  return turned.find((one) => Object.keys(checkDraft(one, models)).length === 0) ?? turned[0] ?? draft
}

/** Whenever models are found. */
export const chooseFirstModel = (models: readonly ModelEntry[]): void =>
  draftStore.setState((draft) => withFirstModel(draft, models))

/** Whether there is a model for a pipeline. */
export const canRun = (name: PipelineName, models: readonly ModelEntry[]): boolean =>
  modelsFor(models, pipelineOf(name).models.model!.kind).some(isUsable)

/** The draft for another pipeline: what a user chose stays, but a model that cannot be used there. */
export function withPipeline(draft: Draft, pipeline: Maker, models: readonly ModelEntry[]): Draft {
  const next = { ...draft, pipeline }
  const model = models.find(({ id }) => id === draft.model)
  if (!model) return withFirstModel({ ...next, model: '' }, models)
  const { motionAdapter, schedulerConfig } = suitedTo(next, model, models)
  const kept = { ...next, motionAdapter: motionAdapter ?? draft.motionAdapter, schedulerConfig }
  return checkDraft(kept, models).model === undefined ? kept : withFirstModel({ ...next, model: '' }, models)
}
