import { isFinished, type Job } from '#app/contract/jobs.ts'
import { pipelines } from '#app/contract/pipelines.ts'
import { shortTitle } from '#renderer/actions/library.ts'
import { notify } from '#renderer/store/notify.ts'
import { say } from '#renderer/store/said.ts'
import { isRunning, studioStore, type StudioState } from '#renderer/store/studio.ts'
import { tell } from '#renderer/store/toasts.ts'
import { isOnShow, openJob, openResult, viewStore } from '#renderer/store/view.ts'

const words = {
  clip: 'The clip',
  still: 'The still',
  embedding: 'The embedding',
  labels: 'The classification',
} as const

/** In words, how a job ended; nothing of one that the user ended. */
export function ending({ status, pipeline, title }: Job): string | undefined {
  const what = `${words[pipelines[pipeline].makes]} “${shortTitle(title)}”`
  if (status === 'done') return `${what} is done`
  if (status === 'failed') return `${what} could not be made`
  return status === 'interrupted' ? `${what} was interrupted` : undefined
}

/** Says which jobs have ended: aloud of what is on show, with a way there of all else. */
export function tellEnds({ jobs }: StudioState, before: StudioState): void {
  for (const job of jobs) {
    const earlier = before.jobs.find(({ id }) => id === job.id)
    const said = earlier && !isFinished(earlier.status) && isFinished(job.status) ? ending(job) : undefined
    if (said === undefined) continue
    if (document.hidden) unseen = said
    notify(said, job.problem?.message, () => show(job))
    const { resultId } = job
    const isShown = isOnShow(
      viewStore.getState(),
      resultId ? { kind: 'result', id: resultId } : { kind: 'job', id: job.id },
    )
    // A failure gives way on the stage to the next job.
    const stays = job.status === 'done' || !jobs.some(({ status }) => !isFinished(status))
    if (isShown && stays) say(`${said}.`)
    else
      tell(job.status === 'done' ? 'success' : 'warning', said, job.problem?.message, {
        label: 'Show',
        perform: () => show(job),
      })
  }
}

function show(job: Job): void {
  const result = studioStore.getState().results.find(({ id }) => id === job.resultId)
  if (result) openResult(result)
  else openJob(job)
}

/** What ended while nobody looked. */
let unseen: string | undefined

/** Keeps the page's title at what happens: tabs and task bars show it. */
export function followTitle(): void {
  const apply = (): void => {
    const job = studioStore.getState().jobs.find(isRunning)
    const now = job && `${Math.floor(job.progress * 100)} % ${shortTitle(job.title)}`
    document.title = [unseen, now, 'Frameloom'].filter(Boolean).join(' - ')
  }
  studioStore.subscribe(apply)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) unseen = undefined
    apply()
  })
}
