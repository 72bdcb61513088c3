import { createReadStream, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { implement } from '@orpc/server'
import type { Precision } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { uploadLimit } from '#app/contract/media-routes.ts'
import { isFinished } from '#app/contract/jobs.ts'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { withNamed } from '#app/contract/prompts/names.ts'
import { isEmbedding } from '#app/contract/results.ts'
import type { AppSettings } from '#app/contract/settings.ts'
import { studioContract } from '#app/contract/studio.ts'
import type { JobRequest } from '#app/library/jobs.ts'
import type { Log } from './log.ts'
import { checkRun, locateMedia } from './find-models.ts'
import type { EventHub } from './event-hub.ts'
import type { JobQueue } from './job-queue.ts'
import { autotune, keep, kept, profile, type MeasureTools } from './measure.ts'
import { findModels, freezeUnet2d, inspectModel, saveMotionModules } from './motion-calls.ts'
import { pageProblem, rpcError } from './rpc-errors.ts'
import type { JobTools } from './run-job.ts'
import { setControls } from './set-controls.ts'

export type RouterTools = JobTools &
  MeasureTools & {
    queue: JobQueue
    hub: EventHub
    log: Log
    settingsChanged: (before: AppSettings, after: AppSettings) => Promise<void>
  }

/** The contract between page and host, implemented once for every host. */
export function createRouter(tools: RouterTools) {
  const { engine, library, models, board, queue, hub, log, previews } = tools
  const os = implement(studioContract).use(async ({ next, path }) => {
    try {
      return await next()
    } catch (error) {
      if (pageProblem(error).code === 'internal') log.error({ error, call: path.join('.') }, 'call failed')
      throw rpcError(error)
    }
  })

  return os.router({
    events: os.events.handler(({ signal }) => hub.subscribe(signal)),

    run: os.run.handler(async ({ input: { source, ...asked } }) => {
      const run = { ...asked, settings: withNamed(asked.settings, await models.all()) } as typeof asked
      const upload = source && 'uploadId' in source ? (library.uploads.get(source.uploadId) ?? gone()) : undefined
      const request: JobRequest = {
        ...run,
        source: upload ? { upload } : source && 'clipId' in source ? source : undefined,
      }
      return start(request, await checkJob(request))
    }),

    setControls: os.setControls.handler(({ input: { jobId, ...change } }) => setControls(tools, jobId, change)),

    profile: os.profile.handler(({ input, signal }) => profile(tools, input, signal)),

    autotune: os.autotune.handler(({ input, signal }) => autotune(tools, input.run, input.memoryBytes, signal)),

    keptTuning: os.keptTuning.handler(({ input }) => kept(tools, input)),

    keepTuning: os.keepTuning.handler(({ input }) => keep(tools, input.run, input.tuning)),

    cancel: os.cancel.handler(({ input }) => queue.cancel(input.jobId)),

    undoCancel: os.undoCancel.handler(async ({ input: { jobId } }) => {
      const { job, request } = board.get(jobId)
      if (job.status !== 'cancelled') throw new ProblemError('bad-input', 'This job is not cancelled.')
      await checkJob(request)
      board.again(jobId)
      previews.remove(jobId)
      queue.wake()
    }),

    runAgain: os.runAgain.handler(async ({ input }) => {
      const { job, request } = board.get(input.jobId)
      if (!isFinished(job.status) || job.status === 'done')
        throw new ProblemError('bad-input', 'This job has not ended without a result: there is nothing to run again.')
      const again = input.precision ? inPrecision(request, input.precision) : request
      await checkJob(again)
      const started = start(again, job.title)
      board.remove(job.id)
      previews.remove(job.id)
      return started
    }),

    dismiss: os.dismiss.handler(({ input }) => {
      const { job } = board.get(input.jobId)
      if (!isFinished(job.status)) throw new ProblemError('bad-input', 'This job is not finished: cancel it first.')
      board.remove(job.id)
      previews.remove(job.id)
    }),

    deleteResult: os.deleteResult.handler(({ input }) => {
      library.removeResult(input.id)
      hub.publish({ type: 'result-removed', id: input.id })
    }),

    restoreResult: os.restoreResult.handler(({ input }) => {
      hub.publish({ type: 'result-added', result: library.restoreResult(input.id) })
    }),

    keepAsInput: os.keepAsInput.handler(({ input }) => {
      const result = library.result(input.id)
      const isOne = isEmbedding(result)
      const { id, title } = isOne ? result : library.picture(input.id)
      const body = createReadStream(isOne ? library.embeddingFile(id) : library.pictureFile(id))
      const name = `${title.slice(0, 60) || 'untitled'}.${isOne ? 'safetensors' : 'webp'}`
      return library.inputs.receive({ name, body, limit: uploadLimit })
    }),

    missingInputs: os.missingInputs.handler(({ input }) =>
      input.filter(({ sha256 }) => library.inputs.file(sha256) === undefined),
    ),

    compareEmbeddings: os.compareEmbeddings.handler(async ({ input: { ids }, signal }) => {
      const files = ids.map((id) => ({ file: library.embeddingFile(id), name: library.embedding(id).title }))
      return (await engine.call('compareEmbeddings', { files }, signal ? { signal } : {})).cosines
    }),

    countTokens: os.countTokens.handler(async ({ input: { model, embeddings, ...question }, signal }) => {
      const found = {
        model: await models.get(model, 'model'),
        embeddings: await Promise.all(embeddings.map((id) => models.get(id, 'embeddings'))),
      }
      return (await engine.call('countTokens', { ...question, ...found }, signal ? { signal } : {})).counts
    }),

    refreshModels: os.refreshModels.handler(() => models.refresh()),

    saveSettings: os.saveSettings.handler(async ({ input }) => {
      const before = library.settings()
      for (const folder of input.modelFolders) if (!before.modelFolders.includes(folder)) checkFolder(folder)
      library.saveSettings(input)
      hub.publish({ type: 'settings', settings: input })
      await tools.settingsChanged(before, input)
    }),

    restartEngine: os.restartEngine.handler(() => {
      engine.restart()
      // An engine that never got ready found none.
      if (models.entries().length === 0) void models.refresh()
    }),

    attnProcessors: os.attnProcessors.handler(async ({ input, signal }) => {
      const { processors } = await engine.call(
        'attnProcessors',
        await findModels(tools, input),
        signal ? { signal } : {},
      )
      return processors
    }),

    inspectModel: os.inspectModel.handler(async ({ input, signal }) =>
      inspectModel(tools, await models.get(input.id, 'id'), signal),
    ),

    weightHashes: os.weightHashes.handler(async ({ input, signal }) => {
      const model = await models.get(input.id, 'id')
      return (await engine.call('weightHashes', { model }, signal ? { signal } : {})).sha256
    }),

    freezeUnet2d: os.freezeUnet2d.handler(({ input, signal }) => freezeUnet2d(tools, input, signal)),

    saveMotionModules: os.saveMotionModules.handler(({ input }) => saveMotionModules(tools, input)),

    saveProcessorMap: os.saveProcessorMap.handler(({ input: { name, processors, replace } }) => {
      library.processorMaps.save(name, processors, replace)
      tellMaps()
    }),

    renameProcessorMap: os.renameProcessorMap.handler(({ input: { name, to } }) => {
      library.processorMaps.rename(name, to)
      tellMaps()
    }),

    deleteProcessorMap: os.deleteProcessorMap.handler(({ input: { name } }) => {
      library.processorMaps.remove(name)
      tellMaps()
    }),

    doctor: os.doctor.handler(({ signal }) => engine.call('doctor', { full: true }, signal ? { signal } : {})),
  })

  function tellMaps(): void {
    hub.publish({ type: 'processor-maps', processorMaps: Array.from(library.processorMaps.list()) })
  }

  /** Checks a request and keeps the file that it reads. @returns the title of the job */
  async function checkJob({ source, ...run }: JobRequest): Promise<string> {
    checkRun(run, await models.all())
    locateMedia(run, (sha256) => library.inputs.file(sha256))
    const record = pipelineOf(run.pipeline)
    if (!record.takesClip) return record.titleOf(run.settings)
    if (!source) throw new ProblemError('bad-input', `${record.title} needs a clip. Choose one.`, { field: 'source' })
    if ('clipId' in source) return library.picture(source.clipId).title
    if (!library.uploads.get(source.upload.id)) gone()
    library.uploads.hold(source.upload)
    return source.upload.name
  }

  function start(request: JobRequest, title: string): { jobId: string } {
    const job = board.add(request, title.slice(0, 200) || 'Untitled')
    queue.wake()
    return { jobId: job.id }
  }
}

function inPrecision(request: JobRequest, precision: Precision): JobRequest {
  const { settings } = request
  return { ...request, settings: { ...settings, compute: { ...settings.compute, precision } } } as JobRequest
}

function gone(): never {
  throw new ProblemError('not-found', 'This file is not here any more. Choose it again.', { field: 'source' })
}

function checkFolder(folder: string): void {
  const field = 'modelFolders'
  if (!isAbsolute(folder))
    throw new ProblemError('bad-input', `${folder} is not a whole path: begin at the root.`, { field })
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ProblemError('bad-input', `${folder} is not a folder on this machine.`, { field, file: folder })
  }
}

export type StudioRouter = ReturnType<typeof createRouter>
