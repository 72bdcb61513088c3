import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { pipelineOf, type RunRequest } from '#app/contract/pipelines.ts'
import { modelsOf, problemsOf, type ByRole } from '#app/contract/pipelines/pipeline.ts'

/**
 * The models of a request, by role. Throws the first thing that does not fit, as a ProblemError that names the field.
 */
export function checkRun({ pipeline, settings }: RunRequest, models: readonly LocatedModel[]): ByRole<LocatedModel> {
  const record = pipelineOf(pipeline)
  const [problem] = problemsOf(record, settings, models)
  if (problem) throw new ProblemError(problem.code, problem.message, problem)
  return modelsOf(record, settings, models)
}
