import type { LocatedMedia, LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { MediaRef } from '#app/contract/media-refs.ts'
import { pipelineOf, type RunRequest } from '#app/contract/pipelines.ts'
import { mediaOf, modelsOf, problemsOf, type ByRole } from '#app/contract/pipelines/pipeline.ts'

/**
 * The models of a request, by role. Throws the first thing that does not fit, as a ProblemError that names the field.
 */
export function checkRun({ pipeline, settings }: RunRequest, models: readonly LocatedModel[]): ByRole<LocatedModel> {
  const record = pipelineOf(pipeline)
  const [problem] = problemsOf(record, settings, models)
  if (problem) throw new ProblemError(problem.code, problem.message, problem)
  return modelsOf(record, settings, models)
}

/**
 * The pictures and clips of a request, by role. `fileOf` knows where one is. Throws not-found naming the file and the
 * field for one that is nowhere.
 */
export function locateMedia(
  { pipeline, settings }: RunRequest,
  fileOf: (sha256: string) => string | undefined,
): ByRole<LocatedMedia> {
  const record = pipelineOf(pipeline)
  const located = Object.entries(mediaOf(record, settings)).map(([role, refs]) => {
    const { field } = record.media![role]!
    return [role, refs.map((ref) => ({ ...ref, file: fileOf(ref.sha256) ?? missing(ref, field) }))]
  })
  return Object.fromEntries(located) as ByRole<LocatedMedia>
}

function missing({ name }: MediaRef, field: string): never {
  throw new ProblemError('not-found', `The file “${name}” is not here any more. Choose it again.`, { field })
}
