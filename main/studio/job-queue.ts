import type { Problem } from '#app/contract/errors.ts'
import type { Job } from '#app/contract/jobs.ts'
import type { Result } from '#app/contract/results.ts'
import type { JobBoard } from './job-board.ts'
import { pageProblem } from './rpc-errors.ts'

export type JobQueue = {
  /** Looks for a queued job, if none runs. */
  wake(): void
  /** Takes a queued job off at once; asks a running one to stop, and resolves when it has. */
  cancel(id: string): Promise<void>
  /** Nothing is started or recorded any more. */
  close(): void
}

const statusAfter = ({ code }: Problem): Job['status'] =>
  code === 'cancelled' ? 'cancelled' : code === 'engine-lost' ? 'interrupted' : 'failed'

const stages: Partial<Record<Job['status'], string>> = {
  cancelled: 'Cancelled',
  interrupted: 'Interrupted',
  failed: 'Failed',
}

/** First come, first served; one job at a time, since one uses the whole machine. */
export function createJobQueue(options: {
  board: JobBoard
  run: (id: string, signal: AbortSignal) => Promise<Result>
  /** Tells of a result, before its job is said to be done. */
  recorded: (result: Result) => void
  /** Called after each job, whatever came of it. */
  finished: (id: string) => void
  log: { error(fields: object, message: string): void }
}): JobQueue {
  const { board, run, recorded, finished, log } = options
  let running: { id: string; abort: AbortController; ended: Promise<void> } | undefined
  let closed = false

  const work = async (id: string, signal: AbortSignal): Promise<void> => {
    try {
      board.update(id, { status: 'loading', stage: 'Starting' })
      const result = await run(id, signal)
      if (closed) return
      recorded(result)
      board.update(id, { status: 'done', stage: 'Done', progress: 1, secondsLeft: undefined, resultId: result.id })
    } catch (error) {
      if (closed) return // the next start finds it as it was, and says 'interrupted'
      const problem = pageProblem(error)
      if (problem.code === 'internal') log.error({ error, job: id }, 'job failed')
      const status = statusAfter(problem)
      const about = status === 'cancelled' ? {} : { problem }
      board.update(id, { status, stage: stages[status] ?? status, secondsLeft: undefined, ...about })
    }
    finished(id)
  }

  const wake = (): void => {
    const next = closed || running ? undefined : board.firstQueued()
    if (!next) return
    const abort = new AbortController()
    const ended = work(next.job.id, abort.signal).catch((error: unknown) =>
      log.error({ error, job: next.job.id }, 'job not recorded'),
    )
    running = { id: next.job.id, abort, ended }
    void ended.finally(() => {
      running = undefined
      wake()
    })
  }

  return {
    wake,
    async cancel(id) {
      const { job } = board.get(id)
      if (running?.id === id) {
        board.update(id, { stage: 'Cancelling' })
        running.abort.abort()
        await running.ended
      } else if (job.status === 'queued') {
        board.update(id, { status: 'cancelled', stage: 'Cancelled' })
        finished(id)
      }
    },
    close() {
      closed = true
      running?.abort.abort()
    },
  }
}
