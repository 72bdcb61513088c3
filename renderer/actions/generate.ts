import type { RunRequest } from '#app/contract/pipelines.ts'
import { scalesOf, type FreeU, type LiveControls } from '#app/contract/settings.ts'
import { toProblem } from '#app/contract/errors.ts'
import { checkDraft, fieldOf } from '#renderer/store/checks.ts'
import { draftStore, editDraft, rollSeed, toRun, type Draft, type Maker } from '#renderer/store/draft.ts'
import { pointAt, refuse } from '#renderer/store/field-problems.ts'
import { callHost } from '#renderer/store/host.ts'
import { keepSettings } from '#renderer/store/sent-settings.ts'
import { runningLive, sameFreeU, sameScales, studioStore } from '#renderer/store/studio.ts'
import { tellFailure } from '#renderer/store/toasts.ts'
import { followJob } from './jobs.ts'

export async function generate(): Promise<void> {
  const draft = draftStore.getState()
  const { models, engine } = studioStore.getState()
  // While it is off no model is known: the host has the words for that.
  const problems = engine?.state === 'stopped' ? {} : checkDraft(draft, models, engine)
  const [field, message] = Object.entries(problems)[0] ?? []
  if (field && message) {
    pointAt(field as keyof Draft, message)
    return
  }
  if (!draft.seedLocked) editDraft({ seed: rollSeed() })
  await send(toRun(draftStore.getState()))
}

async function send(run: RunRequest<Maker>): Promise<void> {
  try {
    const { jobId } = await callHost((host) => host.run(run))
    keepSettings(jobId, run.settings)
    followJob({ id: jobId, pipeline: run.pipeline })
  } catch (error) {
    const problem = toProblem(error)
    const field = fieldOf(problem, draftStore.getState())
    if (field) refuse(field, problem.message)
    else tellFailure('The run could not be started', error)
  }
}

const liveInterval = 80
let timer: ReturnType<typeof setTimeout> | undefined
const moved = new Set<keyof LiveControls>()

/** Changes FreeU in the form, and in the running job too: it takes effect at the job's next step. */
export function changeFreeU(change: { freeu?: FreeU; freeuOn?: boolean }): void {
  // Whoever moves the sliders no longer wants the moves that a recipe remembered.
  editDraft({ ...change, freeuChanges: [] })
  sendSoon('freeu')
}

/** The same for the scale of a LoRA. */
export function changeLoraScale(id: string, scale: number): void {
  const loras = draftStore.getState().loras.map((lora) => (lora.id === id ? { id, scale } : lora))
  editDraft({ loras, loraChanges: [] })
  sendSoon('loraScales')
}

function sendSoon(control: keyof LiveControls): void {
  moved.add(control)
  // A slider sends many values; the last one always goes out.
  timer ??= setTimeout(() => {
    timer = undefined
    void sendControls()
  }, liveInterval)
}

async function sendControls(): Promise<void> {
  const job = runningLive(studioStore.getState())
  const { freeu, freeuOn, loras } = draftStore.getState()
  const change: LiveControls = {}
  const wanted = freeuOn ? freeu : null
  if (job && moved.has('freeu') && !sameFreeU(job.freeu, wanted)) change.freeu = wanted
  if (job && moved.has('loraScales')) {
    const scales = { ...job.loraScales, ...scalesOf(loras.filter(({ id }) => id in job.loraScales)) }
    if (!sameScales(job.loraScales, scales)) change.loraScales = scales
  }
  moved.clear()
  if (!job || Object.keys(change).length === 0) return
  await callHost((host) => host.setControls({ jobId: job.id, ...change })).catch((error: unknown) => {
    // The job may have ended meanwhile: then the form alone has the new values, which is right.
    if (!['not-found', 'bad-input'].includes(toProblem(error).code))
      tellFailure('The running clip could not be changed', error)
  })
}
