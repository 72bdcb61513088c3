import type { Job } from '#app/contract/jobs.ts'
import { viewOfJob } from '#app/contract/views.ts'
import { callHost } from '#renderer/store/host.ts'
import { playerStore, wantsStillness } from '#renderer/store/player.ts'
import { inheritSettings } from '#renderer/store/sent-settings.ts'
import { activeJobs, isRunning, runningIn, studioStore } from '#renderer/store/studio.ts'
import { tell, tellFailure } from '#renderer/store/toasts.ts'
import { goTo, setPlace } from '#renderer/store/view.ts'
import { shortTitle } from './library.ts'

/** Shows a job that was started just now, or the one of its view that runs before it; and from then on what runs. */
export function followJob({ id, pipeline }: Pick<Job, 'id' | 'pipeline'>): void {
  const view = viewOfJob(pipeline)
  const running = runningIn(view, studioStore.getState())
  if (!running) playerStore.setState({ playing: !wantsStillness(), frame: 0 })
  setPlace(view, { shown: { kind: 'job', id: running?.id ?? id }, follows: true })
  goTo(view)
}

/** Runs a job that ended without a result again, as it was asked for or in float32. */
export async function runAgain({ id, pipeline }: Pick<Job, 'id' | 'pipeline'>, precision?: 'float32'): Promise<void> {
  try {
    const { jobId } = await callHost((host) => host.runAgain({ jobId: id, ...(precision && { precision }) }))
    inheritSettings(jobId, id)
    followJob({ id: jobId, pipeline })
  } catch (error) {
    tellFailure('The job could not be run again', error)
  }
}

/** The job that runs, or else the first that waits. */
export function cancellableJob(): Job | undefined {
  const active = activeJobs(studioStore.getState())
  return active.find(isRunning) ?? active[0]
}

/** Cancels jobs, those that wait before the one that runs, so that none of them starts meanwhile. */
export async function cancelJobs(jobs: readonly Job[]): Promise<void> {
  const [first] = jobs
  if (!first) return
  const steps = jobs.reduce((sum, { step }) => sum + step, 0)
  try {
    for (const { id } of jobs.toSorted((a, b) => Number(isRunning(a)) - Number(isRunning(b))))
      await callHost((host) => host.cancel({ jobId: id }))
    tell(
      'info',
      jobs.length === 1 ? `Cancelled “${shortTitle(first.title)}”` : `Cancelled ${jobs.length} jobs`,
      steps > 0 ? 'Undo puts it back in its place; what was made of it is made again, the same.' : undefined,
      { label: 'Undo', perform: () => void undoCancel(jobs) },
    )
  } catch (error) {
    tellFailure('The job could not be cancelled', error)
  }
}

export const cancelJob = (job: Job): Promise<void> => cancelJobs([job])

async function undoCancel(jobs: readonly Job[]): Promise<void> {
  try {
    for (const { id } of jobs) await callHost((host) => host.undoCancel({ jobId: id }))
  } catch (error) {
    tellFailure('The job could not be put back', error)
  }
}

export async function dismissJob(jobId: string): Promise<void> {
  try {
    await callHost((host) => host.dismiss({ jobId }))
  } catch (error) {
    tellFailure('The job could not be removed', error)
  }
}
