import type { Job } from '#app/contract/jobs.ts'
import { callHost } from '#renderer/store/host.ts'
import { playerStore } from '#renderer/store/player.ts'
import { inheritSettings } from '#renderer/store/sent-settings.ts'
import { activeJobs, studioStore } from '#renderer/store/studio.ts'
import { tellFailure } from '#renderer/store/toasts.ts'
import { openJob, viewStore } from '#renderer/store/view.ts'

/** Shows a job that was started just now. */
export function followJob(job: Pick<Job, 'id' | 'pipeline'>): void {
  playerStore.setState({ playing: true, frame: 0 })
  openJob(job)
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

/** The job on show, or else the first of those that are not finished. */
export function cancellableJob(): Job | undefined {
  const { places, view } = viewStore.getState()
  const active = activeJobs(studioStore.getState())
  const { shown } = places[view]
  return active.find((job) => shown?.kind === 'job' && job.id === shown.id) ?? active[0]
}

export async function cancelJob(jobId: string): Promise<void> {
  try {
    await callHost((host) => host.cancel({ jobId }))
  } catch (error) {
    tellFailure('The job could not be cancelled', error)
  }
}

export async function dismissJob(jobId: string): Promise<void> {
  try {
    await callHost((host) => host.dismiss({ jobId }))
  } catch (error) {
    tellFailure('The job could not be removed', error)
  }
}
