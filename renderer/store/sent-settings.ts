import { fieldDefaults, type Fields } from '#app/contract/pipelines/fields.ts'
import { draftStore } from './draft.ts'

type Shape = Pick<Fields, 'width' | 'height'> & Partial<Pick<Fields, 'fps'>>

/** Settings of the jobs this page sent, which a job itself does not say. */
const sent = new Map<string, Shape>()

export const keepSettings = (jobId: string, settings: Partial<Fields>): void =>
  // An embedding has no size; nobody sees one.
  void sent.set(jobId, { width: fieldDefaults.width, height: fieldDefaults.height, ...settings })

/** A job that is run again makes what the first one was to make. */
export function inheritSettings(jobId: string, from: string): void {
  const settings = sent.get(from)
  if (settings) sent.set(jobId, settings)
}

/** What a job makes: as this page sent it, or else as the form stands. */
export const settingsOfJob = (jobId: string): Shape => sent.get(jobId) ?? draftStore.getState()
