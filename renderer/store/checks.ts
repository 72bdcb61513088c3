import type { ModelEntry } from '#app/contract/models.ts'
import type { Problem } from '#app/contract/errors.ts'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { problemsOf } from '#app/contract/pipelines/pipeline.ts'
import { computeProblem, type KnownCompute } from './compute.ts'
import { toRun, type Draft } from './draft.ts'

export type FieldProblems = Readonly<Partial<Record<keyof Draft, string>>>

/**
 * What keeps the draft from running, by field, in words. Empty when it can be sent. `engine` knows what it can compute
 * on.
 */
export function checkDraft(draft: Draft, models: readonly ModelEntry[], engine: KnownCompute = null): FieldProblems {
  const { pipeline, settings } = toRun(draft)
  const problems: Partial<Record<keyof Draft, string>> = {}
  for (const { field, message } of problemsOf(pipelineOf(pipeline), settings, models))
    problems[field as keyof Draft] ??= message
  const unfit = computeProblem(draft.compute, engine)
  return unfit ? { ...problems, compute: unfit } : problems
}

/** The form field that a host's problem is about, if it is about one. */
export function fieldOf(problem: Problem, draft: Draft): keyof Draft | undefined {
  const name = problem.field?.split('.').find((part) => part in draft)
  return name as keyof Draft | undefined
}
