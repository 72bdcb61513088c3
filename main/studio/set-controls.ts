import { ProblemError } from '#app/contract/errors.ts'
import { isFinished } from '#app/contract/jobs.ts'
import { pipelineOf } from '#app/contract/pipelines.ts'
import type { LiveControls } from '#app/contract/settings.ts'
import type { JobRequest } from '#app/library/jobs.ts'
import type { JobTools } from './run-job.ts'

/**
 * Changes what a job that waits or runs is made with. Throws bad-input when the job is over, or when it has no such
 * LoRA; not-found when it is not on the list any more.
 */
export function setControls(
  { board, engine }: Pick<JobTools, 'board' | 'engine'>,
  jobId: string,
  change: LiveControls,
) {
  const { job, request } = board.get(jobId)
  const { live } = pipelineOf(request.pipeline)
  const fixed = (Object.keys(change) as (keyof LiveControls)[]).find((control) => !live.includes(control))
  if (fixed !== undefined || !('loras' in request.settings) || isFinished(job.status))
    throw new ProblemError('bad-input', 'This can be changed while a clip is made; this job is over.', {
      field: 'jobId',
    })
  const { settings } = request
  const stranger = Object.keys(change.loraScales ?? {}).find((id) => !settings.loras.some((lora) => lora.id === id))
  if (stranger !== undefined)
    throw new ProblemError('bad-input', `This job was started without the LoRA ${stranger}.`, { field: 'loras' })

  const { freeu, loraScales = {} } = change
  const told = { ...(freeu !== undefined && { freeu }), loraScales: { ...job.loraScales, ...loraScales } }
  if (job.status === 'queued') {
    const loras = settings.loras.map(({ id, scale }) => ({ id, scale: loraScales[id] ?? scale }))
    const next = { ...settings, ...(freeu !== undefined && { freeu }), loras }
    board.update(jobId, told, { ...request, settings: next } as JobRequest)
    return
  }
  engine.setControls(jobId, {
    ...(freeu !== undefined && { freeu }),
    ...(change.loraScales && { loraScales: told.loraScales }),
  })
  board.update(jobId, told)
}
