import { createStore, useStore } from 'zustand'
import { scalesOf, type FreeU, type GenerateSettings, type LiveControls } from '#app/contract/settings.ts'
import { toProblem } from '#app/contract/errors.ts'
import type { Job } from '#app/contract/jobs.ts'
import { checkDraft, fieldOf } from '#renderer/store/checks.ts'
import { draftStore, editDraft, rollSeed, toSettings, type Draft } from '#renderer/store/draft.ts'
import { callHost } from '#renderer/store/host.ts'
import { runningGenerate, sameFreeU, sameScales, studioStore } from '#renderer/store/studio.ts'
import { setView } from '#renderer/store/view.ts'
import { playerStore } from '#renderer/store/player.ts'
import { tell, tellFailure } from '#renderer/store/toasts.ts'

/** What the host refused, at the field it was about; it goes away when that field changes. */
type Refusal = { field: keyof Draft; message: string; value: unknown }
const refusalStore = createStore<{ refusal: Refusal | null }>(() => ({ refusal: null }))
export const useRefusal = (): Refusal | null => useStore(refusalStore, (state) => state.refusal)
draftStore.subscribe((draft) => {
  const { refusal } = refusalStore.getState()
  if (refusal && draft[refusal.field] !== refusal.value) refusalStore.setState({ refusal: null })
})

/** Settings of the jobs this page sent. */
const sent = new Map<string, GenerateSettings>()
/** What a job makes: as this page sent it, or else as the form stands. */
export const settingsOfJob = (jobId: string): Pick<GenerateSettings, 'width' | 'height' | 'fps'> =>
  sent.get(jobId) ?? draftStore.getState()

export async function generate(): Promise<void> {
  const draft = draftStore.getState()
  const { models, engine } = studioStore.getState()
  const problems = checkDraft(draft, models, engine)
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
    show(jobId, settings)
  } catch (error) {
    const problem = toProblem(error)
    const draft = draftStore.getState()
    const field = fieldOf(problem, draft)
    if (field) refusalStore.setState({ refusal: { field, message: problem.message, value: draft[field] } })
    else tellFailure('The clip could not be started', error)
  }
}

function show(jobId: string, settings: GenerateSettings | undefined): void {
  if (settings) sent.set(jobId, settings)
  playerStore.setState({ playing: true, frame: 0 })
  setView({ view: 'generate', stage: { kind: 'job', id: jobId } })
}

/** Runs a job that ended without a result again, as it was asked for. */
export async function runAgain({ id, kind }: Pick<Job, 'id' | 'kind'>): Promise<void> {
  try {
    const { jobId } = await callHost((host) => host.runAgain({ jobId: id }))
    if (kind === 'generate') show(jobId, sent.get(id))
    else setView({ view: 'classify', classification: { kind: 'job', id: jobId } })
  } catch (error) {
    tellFailure('The job could not be run again', error)
  }
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
  const job = runningGenerate(studioStore.getState())
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
