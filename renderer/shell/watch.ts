import type { Job } from '#app/contract/jobs.ts'
import { viewIds, viewOfResult } from '#app/contract/views.ts'
import { fetchPreview } from '#renderer/bridge/media.ts'
import { forgetFailures, framesOf, setFrames } from '#renderer/store/frames.ts'
import { imagesOfRaw } from '#renderer/store/pixels.ts'
import { runningIn, studioStore, type StudioState } from '#renderer/store/studio.ts'
import { setPlace, viewStore } from '#renderer/store/view.ts'
import { views } from '#renderer/views/views.ts'
import { tellEnds } from './tell-ends.ts'

/** Follows the host's state with what the page does by itself. */
export function startWatching(): void {
  studioStore.subscribe((state, before) => {
    if (state.models !== before.models) for (const view of viewIds) views[view].chooseModel(state.models)
    if (state.known && !before.known) resume(state)
    if (state.connection === 'open' && before.connection !== 'open') forgetFailures()
    if (state.jobs !== before.jobs) {
      for (const job of state.jobs) followPreview(job)
      followToResult(state)
      followRunning(state)
      tellEnds(state, before)
    }
  })
}

/** After a reload the page shows what is under way, or else the newest result. */
function resume({ jobs, results }: StudioState): void {
  for (const view of viewIds) {
    if (!views[view].resumes || viewStore.getState().places[view].shown) continue
    const running = runningIn(view, { jobs })
    const newest = results.find((result) => viewOfResult(result.kind) === view)
    if (running) setPlace(view, { shown: { kind: 'job', id: running.id } })
    else if (newest) setPlace(view, { shown: { kind: 'result', id: newest.id } })
  }
}

/** A job on show gives way to what it made. */
function followToResult({ jobs }: StudioState): void {
  for (const view of viewIds) {
    const { shown } = viewStore.getState().places[view]
    const job = shown?.kind === 'job' ? jobs.find(({ id }) => id === shown.id) : undefined
    if (job?.status === 'done' && job.resultId !== undefined)
      setPlace(view, { shown: { kind: 'result', id: job.resultId } })
  }
}

/** A view that follows goes on to the next job as soon as that runs. */
function followRunning(state: StudioState): void {
  for (const view of viewIds) {
    const { shown, follows } = viewStore.getState().places[view]
    const running = runningIn(view, state)
    if (views[view].resumes && follows && shown && running && shown.id !== running.id)
      setPlace(view, { shown: { kind: 'job', id: running.id } })
  }
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
