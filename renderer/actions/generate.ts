import { createStore, useStore } from 'zustand'
import type { FreeU, GenerateSettings } from '#app/contract/settings.ts'
import { toProblem } from '#app/contract/errors.ts'
import { checkDraft, fieldOf } from '#renderer/store/checks.ts'
import { draftStore, editDraft, rollSeed, toSettings, type Draft } from '#renderer/store/draft.ts'
import { callHost } from '#renderer/store/host.ts'
import { runningGenerate, sameFreeU, studioStore } from '#renderer/store/studio.ts'
import { setView } from '#renderer/store/view.ts'
import { playerStore } from '#renderer/store/player.ts'
import { tell, tellFailure } from '#renderer/ui/toasts.ts'

/** What the host refused, at the field it was about; it goes away when that field changes. */
type Refusal = { field: keyof Draft; message: string; value: unknown }
const refusalStore = createStore<{ refusal: Refusal | null }>(() => ({ refusal: null }))
export const useRefusal = (): Refusal | null => useStore(refusalStore, (state) => state.refusal)
draftStore.subscribe((draft) => {
  const { refusal } = refusalStore.getState()
  if (refusal && draft[refusal.field] !== refusal.value) refusalStore.setState({ refusal: null })
})

/** Settings of the jobs this page sent, to run one again. */
const sent = new Map<string, GenerateSettings>()
/** What a job makes: as this page sent it, or else as the form stands. */
export const settingsOfJob = (jobId: string): Pick<GenerateSettings, 'width' | 'height' | 'fps'> =>
  sent.get(jobId) ?? draftStore.getState()

export async function generate(): Promise<void> {
  const draft = draftStore.getState()
  const problems = checkDraft(draft, studioStore.getState().models)
  const [field, message] = Object.entries(problems)[0] ?? []
  if (field) {
    const control = document.querySelector<HTMLElement>(`[data-field="${field}"] :is(input, textarea, button)`)
    control?.focus()
    if (!control && message) tell('error', 'The settings cannot be run', message)
    return
  }
  if (!draft.seedLocked) editDraft({ seed: rollSeed() })
  await send(toSettings(draftStore.getState()))
}

async function send(settings: GenerateSettings): Promise<void> {
  try {
    const { jobId } = await callHost((host) => host.generate(settings))
    sent.set(jobId, settings)
    playerStore.setState({ playing: true, frame: 0 })
    setView({ view: 'generate', stage: { kind: 'job', id: jobId } })
  } catch (error) {
    const problem = toProblem(error)
    const draft = draftStore.getState()
    const field = fieldOf(problem, draft)
    if (field) refusalStore.setState({ refusal: { field, message: problem.message, value: draft[field] } })
    else tellFailure('The clip could not be started', error)
  }
}

/** Runs an interrupted job with the very settings it had, or with the form's where this page did not send it. */
export async function runAgain(jobId: string): Promise<void> {
  const settings = sent.get(jobId) ?? toSettings(draftStore.getState())
  await dismissJob(jobId)
  await send(settings)
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

const liveInterval = 80
let timer: ReturnType<typeof setTimeout> | undefined

/** Changes FreeU in the form, and in the running job too: it takes effect at the job's next step. */
export function changeFreeU(change: { freeu?: FreeU; freeuOn?: boolean }): void {
  // Whoever moves the sliders no longer wants the moves that a recipe remembered.
  editDraft({ ...change, freeuChanges: [] })
  // A slider sends many values; the last one always goes out.
  timer ??= setTimeout(() => {
    timer = undefined
    void sendFreeU()
  }, liveInterval)
}

async function sendFreeU(): Promise<void> {
  const job = runningGenerate(studioStore.getState())
  const { freeu, freeuOn } = draftStore.getState()
  const wanted = freeuOn ? freeu : null
  if (!job || sameFreeU(job.freeu, wanted)) return
  await callHost((host) => host.setFreeU({ jobId: job.id, freeu: wanted })).catch((error: unknown) => {
    // The job may have ended meanwhile: then the form alone has the new values, which is right.
    if (!['not-found', 'bad-input'].includes(toProblem(error).code)) tellFailure('FreeU could not be changed', error)
  })
}
