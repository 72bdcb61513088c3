import { fetchPreview } from '#renderer/bridge/media.ts'
import type { Job } from '#app/contract/jobs.ts'
import { draftStore, withFirstModel } from '#renderer/store/draft.ts'
import { framesOf, setFrames } from '#renderer/store/frames.ts'
import { isUsable, modelsFor } from '#renderer/store/models.ts'
import { imagesOfRaw } from '#renderer/store/pixels.ts'
import { runningGenerate, studioStore, type StudioState } from '#renderer/store/studio.ts'
import { setView, viewStore } from '#renderer/store/view.ts'
import { classifyStore, editClassify } from '#renderer/actions/classify.ts'
import { showClip } from '#renderer/actions/library.ts'

/** Follows the host's state with what the page does by itself. */
export function startWatching(): void {
  studioStore.subscribe((state, before) => {
    if (state.models !== before.models) chooseModels(state)
    if (state.known && !before.known) showLatest(state)
    if (state.jobs !== before.jobs) {
      for (const job of state.jobs) if (job.kind === 'generate') followPreview(job)
      followToResult(state)
    }
  })
}

function chooseModels({ models }: StudioState): void {
  draftStore.setState((draft) => withFirstModel(draft, models))
  const { draft } = classifyStore.getState()
  if (models.some((model) => model.id === draft.model)) return
  const first = modelsFor(models, 'video-classification').find(isUsable)
  if (first) editClassify({ model: first.id })
}

/** After a reload the page shows what is under way, or else the newest clip. */
function showLatest(state: StudioState): void {
  if (viewStore.getState().stage.kind !== 'empty') return
  const running = runningGenerate(state)
  const newest = state.results.find((result) => result.kind === 'clip')
  if (running) setView({ stage: { kind: 'job', id: running.id } })
  else if (newest) setView({ stage: { kind: 'clip', id: newest.id } })
}

/** A job on show gives way to what it made. */
function followToResult({ jobs }: StudioState): void {
  const { stage, classification } = viewStore.getState()
  const made = (id: string): string | undefined => jobs.find((job) => job.id === id && job.status === 'done')?.resultId
  const clip = stage.kind === 'job' ? made(stage.id) : undefined
  if (clip) {
    showClip(clip)
    setView({ stage: { kind: 'clip', id: clip } })
  }
  const classified = classification?.kind === 'job' ? made(classification.id) : undefined
  if (classified) setView({ classification: { kind: 'result', id: classified } })
}

const fetching = new Set<string>()

/** One preview at a time: when steps come faster than pixels, those between are left out. */
function followPreview(job: Job): void {
  const { previewStep } = job
  const shown = framesOf(`preview:${job.id}`)?.step
  if (previewStep === undefined || previewStep === shown || fetching.has(job.id)) return
  if (job.status !== 'running') return
  fetching.add(job.id)
  fetchPreview(job.id, previewStep)
    .then((raw) =>
      setFrames(`preview:${job.id}`, {
        width: raw.width,
        height: raw.height,
        images: imagesOfRaw(raw),
        step: previewStep,
      }),
    )
    // The job may have ended, and its preview gone with it; the next step brings another.
    .catch(() => undefined)
    .finally(() => {
      fetching.delete(job.id)
      const now = studioStore.getState().jobs.find((entry) => entry.id === job.id)
      if (now && now.previewStep !== previewStep) followPreview(now)
    })
}
