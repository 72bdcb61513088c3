import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { implement } from '@orpc/server'
import { ProblemError } from '#app/contract/errors.ts'
import { isFinished } from '#app/contract/jobs.ts'
import type { AppSettings } from '#app/contract/settings.ts'
import { studioContract } from '#app/contract/studio.ts'
import type { JobRequest } from '#app/library/jobs.ts'
import type { Log } from './log.ts'
import { checkGenerate } from './check-generate.ts'
import type { EventHub } from './event-hub.ts'
import type { JobQueue } from './job-queue.ts'
import { pageProblem, rpcError } from './rpc-errors.ts'
import type { JobTools } from './run-job.ts'

export type RouterTools = JobTools & {
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

    generate: os.generate.handler(async ({ input }) => {
      await checkGenerate(input, models)
      return start({ kind: 'generate', settings: input }, input.prompt)
    }),

    classify: os.classify.handler(async ({ input: { settings, source } }) => {
      await models.find(settings.model, 'video-classification', 'model')
      if ('clipId' in source) {
        const clip = library.result(source.clipId)
        if (clip?.kind !== 'clip')
          throw new ProblemError('not-found', 'This clip is not in the library any more.', { field: 'source' })
        return start({ kind: 'classify', settings, source: { clipId: clip.id } }, clip.title)
      }
      const upload = library.uploads.get(source.uploadId)
      if (!upload)
        throw new ProblemError('not-found', 'This file is not here any more. Choose it again.', { field: 'source' })
      library.uploads.hold(upload)
      return start({ kind: 'classify', settings, source: { upload } }, upload.name)
    }),

    setFreeU: os.setFreeU.handler(({ input: { jobId, freeu } }) => {
      const { job, request } = board.get(jobId)
      if (request.kind !== 'generate' || isFinished(job.status)) {
        throw new ProblemError('bad-input', 'FreeU can be changed while a clip is made; this job is over.', {
          field: 'jobId',
        })
      }
      if (job.status === 'queued') {
        board.update(jobId, { freeu }, { ...request, settings: { ...request.settings, freeu } })
        return
      }
      engine.setFreeU(jobId, freeu)
      board.update(jobId, { freeu })
    }),

    cancel: os.cancel.handler(({ input }) => queue.cancel(input.jobId)),

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

    refreshModels: os.refreshModels.handler(() => models.refresh()),

    saveSettings: os.saveSettings.handler(async ({ input }) => {
      const before = library.settings()
      for (const folder of input.modelFolders) if (!before.modelFolders.includes(folder)) checkFolder(folder)
      library.saveSettings(input)
      hub.publish({ type: 'settings', settings: input })
      await tools.settingsChanged(before, input)
    }),

    restartEngine: os.restartEngine.handler(() => engine.restart()),

    doctor: os.doctor.handler(({ signal }) => engine.call('doctor', { full: true }, signal ? { signal } : {})),
  })

  function start(request: JobRequest, title: string): { jobId: string } {
    const job = board.add(request, title.slice(0, 200) || 'Untitled')
    queue.wake()
    return { jobId: job.id }
  }
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
