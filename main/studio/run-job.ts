import type { ClipSource, TextToVideoEvent } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { newId } from '#app/library/ids.ts'
import type { JobRequest } from '#app/library/jobs.ts'
import type { Library } from '#app/library/library.ts'
import { checkGenerate } from './check-generate.ts'
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
type Requested<K> = Extract<JobRequest, { kind: K }>

/** Does a job's work with the engine and puts its result into the library. Rejects with a ProblemError. */
export const runJob = (tools: JobTools, id: string, signal: AbortSignal): Promise<Result> => {
  const { request } = tools.board.get(id)
  return request.kind === 'generate' ? generate(tools, id, request, signal) : classify(tools, id, request, signal)
}

async function generate(tools: JobTools, id: string, { settings }: Requested<'generate'>, signal: AbortSignal) {
  const { engine, library, board, previews, appVersion } = tools
  const found = await checkGenerate(settings, tools.models)
  const clipId = newId()
  const { recipe, bytes, notes } = await engine.call(
    'textToVideo',
    { settings, ...found, out: library.clipFile(clipId), appVersion },
    { key: id, signal, onEvent: (event) => board.update(id, changeBy(event)) },
  )
  board.update(id, { notes })
  return library.addClip(clipId, recipe, bytes, Date.now())

  function changeBy(event: TextToVideoEvent): Parameters<JobBoard['update']>[1] {
    const { job } = board.get(id)
    switch (event.type) {
      case 'stage':
        return { stage: event.stage, progress: event.progress }
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
        return { stage: `Decoding frame ${event.index + 1} of ${event.count}`, secondsLeft: undefined }
    }
  }
}

async function classify(tools: JobTools, id: string, request: Requested<'classify'>, signal: AbortSignal) {
  const { engine, library, models, board } = tools
  const { settings } = request
  const model = await models.find(settings.model, 'video-classification', 'model')
  const source = readSource(library, request.source)
  const { classification, pixels } = await engine.call(
    'classify',
    { settings, model, source },
    {
      key: id,
      signal,
      onEvent: ({ stage, progress }) => board.update(id, { status: 'running', stage, progress }),
    },
  )
  board.update(id, { notes: classification.notes })
  const clip = 'clipId' in request.source ? { clipId: request.source.clipId } : {}
  const { title } = board.get(id).job
  const result = {
    id: newId(),
    kind: 'classification' as const,
    createdAt: Date.now(),
    title,
    settings,
    classification,
  }
  return library.addClassification({ ...result, ...clip }, pixels)
}

function readSource(library: Library, source: Requested<'classify'>['source']): ClipSource {
  if ('clipId' in source) {
    const clip = library.result(source.clipId)
    if (clip?.kind !== 'clip') throw new ProblemError('not-found', 'This clip is not in the library any more.')
    return { file: library.clipFile(clip.id), name: `${clip.title.slice(0, 60)}.webp` }
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
