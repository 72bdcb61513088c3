import { newId } from '#app/library/ids.ts'
import type { JobRequest, StoredJob } from '#app/library/jobs.ts'
import type { Library } from '#app/library/library.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { isFinished, type Job } from '#app/contract/jobs.ts'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { scalesOf } from '#app/contract/settings.ts'
import type { StudioEvent } from '#app/contract/studio.ts'
import { createThrottle } from './throttle.ts'

/** At most 16 events per second and job, however fast the engine reports. */
export const intervalMs = 60
/** Finished jobs beyond this number leave the list, the oldest first. */
const keptFinished = 50

function atStart({ pipeline, settings }: JobRequest) {
  const { freeu, loras } = { freeu: null, loras: [], ...settings }
  return {
    status: 'queued',
    stage: 'Waiting',
    step: 0,
    totalSteps: pipelineOf(pipeline).stepsOf(settings),
    progress: 0,
    freeu,
    loraScales: scalesOf(loras),
    notes: [],
  } satisfies Partial<Job>
}

export type JobBoard = ReturnType<typeof createJobBoard>

/**
 * The jobs as the pages see them. Changes of status are on disk before they are told, or as soon as the disk takes
 * them; steps are only told.
 */
export function createJobBoard(
  library: Pick<Library, 'addJob' | 'putJob' | 'removeJob' | 'restoredJobs'>,
  publish: (event: StudioEvent) => void,
  now: () => number = Date.now,
) {
  const jobs = new Map<string, StoredJob>(library.restoredJobs.map((stored) => [stored.job.id, stored]))
  const throttle = createThrottle<Job>(intervalMs, (job) => publish({ type: 'job', job }))

  let closed = false

  const get = (id: string): StoredJob => {
    const stored = jobs.get(id)
    if (!stored) throw new ProblemError('not-found', 'This job is not on the list any more.')
    return stored
  }
  const remove = (id: string): void => {
    throttle.drop(id)
    jobs.delete(id)
    library.removeJob(id)
    publish({ type: 'job-removed', id })
  }
  const trim = (): void => {
    const finished = [...jobs.values()].filter(({ job }) => isFinished(job.status))
    for (const { job } of finished.slice(0, Math.max(0, finished.length - keptFinished))) remove(job.id)
  }

  return {
    list: (): Job[] => [...jobs.values()].map((stored) => stored.job),
    get,
    find: (id: string): StoredJob | undefined => jobs.get(id),
    /** The next to run. */
    firstQueued: (): StoredJob | undefined => [...jobs.values()].find(({ job }) => job.status === 'queued'),
    add(request: JobRequest, title: string): Job {
      const job: Job = {
        id: newId(),
        pipeline: request.pipeline,
        createdAt: now(),
        title,
        ...('seed' in request.settings && { seed: request.settings.seed }),
        ...atStart(request),
        resultId: newId(),
      }
      const stored = { job, request }
      library.addJob(stored)
      jobs.set(job.id, stored)
      publish({ type: 'job', job })
      trim()
      return job
    },
    /** Has a job that ended wait again, in the place that it had, as if nothing of it had been made. */
    again(id: string): void {
      const afresh = { previewStep: undefined, secondsLeft: undefined, freeuUsed: undefined, loraScalesUsed: undefined }
      this.update(id, { ...atStart(get(id).request), ...afresh })
    },
    /** Changes a job; `undefined` takes a key away. */
    update(id: string, change: { [K in keyof Job]?: Job[K] | undefined }, request?: JobRequest): void {
      const stored = jobs.get(id)
      if (!stored || closed) return
      const job = { ...stored.job, ...change } as Job
      for (const key of Object.keys(change) as (keyof Job)[]) if (change[key] === undefined) delete job[key]
      const next = { job, request: request ?? stored.request }
      const settled = job.status !== stored.job.status || request !== undefined
      jobs.set(id, next)
      if (settled) {
        library.putJob(next)
        throttle.flush(id, job)
      } else throttle.push(id, job)
    },
    remove,
    /** From here on nothing is recorded: the next start finds the jobs as they are. */
    close(): void {
      closed = true
      throttle.close()
    },
  }
}
