import type { ClipSource, RunEvent } from '#app/contract/engine.ts'
import { pipelineOf, pipelines } from '#app/contract/pipelines.ts'
import { newId } from '#app/library/ids.ts'
import type { JobSource } from '#app/library/jobs.ts'
import type { Library } from '#app/library/library.ts'
import { checkRun, locateMedia } from './find-models.ts'
import type { JobBoard } from './job-board.ts'
import type { ModelList } from './model-list.ts'
import type { Previews } from './previews.ts'
import type { StudioEngine } from './studio-engine.ts'
import type { Result } from '#app/contract/results.ts'

export type JobTools = {
  engine: StudioEngine
  library: Library
  models: ModelList
  board: JobBoard
  previews: Previews
  appVersion: string
}
/** Does a job's work with the engine and puts its result into the library. Rejects with a ProblemError. */
export async function runJob(tools: JobTools, id: string, signal: AbortSignal): Promise<Result> {
  const { engine, library, board, previews, appVersion } = tools
  const { job, request } = board.get(id)
  const { source, ...run } = request
  const models = checkRun(run, await tools.models.all())
  const { resultId = newId() } = job
  const isEmbedding = pipelineOf(run.pipeline).makes === 'embedding'
  const made = await engine
    .call(
      'run',
      {
        ...run,
        models,
        media: locateMedia(run, (sha256) => library.inputs.file(sha256)),
        ...(source && { source: readSource(library, source) }),
        out: isEmbedding ? library.embeddingFile(resultId) : library.pictureFile(resultId),
        appVersion,
      },
      { key: id, signal, onEvent: (event) => board.update(id, changeBy(event)) },
    )
    .catch(async (error: unknown) => {
      // The file is whole or not there: an engine that ended after it had written it did all that was asked.
      const found = await (isEmbedding ? library.adoptEmbedding(resultId) : library.adoptPicture(resultId))
      if (found) return found
      throw error
    })
  if ('id' in made) return made
  if (made.kind === 'picture') {
    board.update(id, { notes: made.notes })
    return library.addPicture(resultId, made.recipe, made.bytes, Date.now())
  }
  if (made.kind === 'embedding') {
    board.update(id, { notes: made.notes })
    return library.addEmbedding(resultId, made.recipe, made.bytes, Date.now())
  }
  const { classification, pixels } = made
  board.update(id, { notes: classification.notes })
  const clip = source && 'clipId' in source ? { clipId: source.clipId } : {}
  const settings = pipelines['video-classification'].settings.parse(run.settings)
  const result = { id: resultId, kind: 'classification' as const, createdAt: Date.now(), title: job.title }
  return library.addClassification({ ...result, settings, classification, ...clip }, pixels)

  function changeBy(event: RunEvent): Parameters<JobBoard['update']>[1] {
    const { job } = board.get(id)
    switch (event.type) {
      case 'stage':
        // What has no steps runs from its first word on.
        return {
          ...(job.totalSteps === 0 && { status: 'running' as const }),
          stage: event.stage,
          progress: event.progress,
        }
      case 'note':
        return { notes: [...job.notes, event.note] }
      case 'step':
        return {
          status: 'running',
          stage: `Step ${event.step} of ${event.totalSteps}`,
          step: event.step,
          totalSteps: event.totalSteps,
          progress: event.progress,
          secondsLeft: event.secondsLeft,
          freeuUsed: event.freeu,
          loraScalesUsed: event.loraScales,
        }
      case 'preview':
        previews.put(id, event.pixels)
        return { previewStep: event.step }
      case 'frame':
        return { secondsLeft: undefined }
    }
  }
}

function readSource(library: Library, source: JobSource): ClipSource {
  if ('clipId' in source) {
    const clip = library.picture(source.clipId)
    return { file: library.pictureFile(clip.id), name: `${clip.title.slice(0, 60)}.webp` }
  }
  const { upload } = source
  const file = library.uploads.file(upload)
  if (!upload.frames) return { file, name: upload.name }
  const { width, height, count, indices, frameCount } = upload.frames
  return {
    name: upload.name,
    pixels: { width, height, count, file },
    ...(indices ? { indices } : {}),
    ...(frameCount ? { frameCount } : {}),
  }
}
