import { createStore, useStore } from 'zustand'
import type { Result } from '#app/contract/results.ts'
import type { Job } from '#app/contract/jobs.ts'
import { viewIds, viewOfJob, viewOfResult, type ViewId } from '#app/contract/views.ts'

export type Shown = { kind: 'job'; id: string } | { kind: 'result'; id: string }
/** A clip of the library, or a file of the user's. */
export type Source = { kind: 'clip'; id: string } | { kind: 'file'; file: File; url: string }
/** What a view has before it: what it shows, and what it works on. */
export type Place = {
  shown: Shown | null
  source: Source | null
  /** It shows the job that runs, until somebody opens something else. */
  follows: boolean
}

export type SettingsTab = 'appearance' | 'engine' | 'models' | 'about'

/** What is asked or told over the views; one at a time. */
export type Dialog =
  | { kind: 'palette' }
  | { kind: 'settings'; tab: SettingsTab }
  /** The editor of attention processors. */
  | { kind: 'attention' }
  /** What the model costs, and proposals to run it with less. */
  | { kind: 'tuning' }

export type ViewState = {
  view: ViewId
  places: Readonly<Record<ViewId, Place>>
  dialog: Dialog | null
}

const nowhere: Place = { shown: null, source: null, follows: true }

export const viewStore = createStore<ViewState>(() => ({
  view: 'generate',
  places: Object.fromEntries(viewIds.map((id) => [id, nowhere])) as Record<ViewId, Place>,
  dialog: null,
}))
export const useView = <T>(select: (state: ViewState) => T): T => useStore(viewStore, select)
export const usePlace = (view: ViewId): Place => useView((state) => state.places[view])

export const goTo = (view: ViewId): void => viewStore.setState({ view })

/** Changes what a view has before it, without going there. */
export const setPlace = (view: ViewId, change: Partial<Place>): void =>
  viewStore.setState(({ places }) => ({ places: { ...places, [view]: { ...places[view], ...change } } }))

/** Goes to the view of a result and shows it, on what it was made of. */
export function openResult(result: Result): void {
  const view = viewOfResult(result.kind)
  const clipId = 'clipId' in result ? result.clipId : undefined
  setPlace(view, {
    shown: { kind: 'result', id: result.id },
    source: clipId === undefined ? null : { kind: 'clip', id: clipId },
    follows: false,
  })
  goTo(view)
}

/** Goes to the view of a job and shows it. */
export function openJob({ id, pipeline }: Pick<Job, 'id' | 'pipeline'>): void {
  const view = viewOfJob(pipeline)
  setPlace(view, { shown: { kind: 'job', id }, follows: false })
  goTo(view)
}

/** Whether the view on show has this job or result before it. */
export function isOnShow({ view, places }: ViewState, { kind, id }: Shown): boolean {
  const { shown, source } = places[view]
  return (shown?.kind === kind && shown.id === id) || (kind === 'result' && source?.kind === 'clip' && source.id === id)
}

/** The views let go of a result that is no more, for another of the same view where there is one. */
export function forget(id: string, next?: Shown): void {
  for (const view of viewIds)
    if (viewStore.getState().places[view].shown?.id === id) setPlace(view, { shown: next ?? null })
}

export const openDialog = (dialog: Dialog): void => viewStore.setState({ dialog })
export const closeDialog = (): void => viewStore.setState({ dialog: null })

/** The dialog of this kind while it is open. */
export const useDialog = <K extends Dialog['kind']>(kind: K): Extract<Dialog, { kind: K }> | null =>
  useView(({ dialog }) => (dialog?.kind === kind ? (dialog as Extract<Dialog, { kind: K }>) : null))
