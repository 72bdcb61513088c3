import type { MediaRef } from '#app/contract/media-refs.ts'
import { pipelineOf, pipelines, usesOf, type MediaUse } from '#app/contract/pipelines.ts'
import type { EmbeddingResult, PictureResult } from '#app/contract/results.ts'
import { inputUrl, uploadInput } from '#renderer/bridge/media.ts'
import { withPipeline } from '#renderer/store/choose-model.ts'
import { draftStore, toRun } from '#renderer/store/draft.ts'
import { replaceDraft, undoDraft } from '#renderer/store/draft-history.ts'
import { callHost } from '#renderer/store/host.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { tell, tellFailure } from '#renderer/store/toasts.ts'
import { goTo } from '#renderer/store/view.ts'
import { shortTitle } from './library.ts'

/** Where the page gets it. */
export const inputSource = (ref: MediaRef): string => inputUrl(ref)

/** Gives the host a file for runs to read. Undefined, and told, where it did not take it. */
export const keepFile = (file: File): Promise<MediaRef | undefined> =>
  orTold(`${file.name} could not be taken`, uploadInput(file, file.name))

type FileResult = PictureResult | EmbeddingResult

/** The same for a clip, still or embedding of the library. */
export const keepResult = ({ id, title }: FileResult): Promise<MediaRef | undefined> =>
  orTold(
    `“${shortTitle(title)}” could not be taken`,
    callHost((host) => host.keepAsInput({ id })),
  )

async function orTold(failure: string, work: Promise<MediaRef>): Promise<MediaRef | undefined> {
  try {
    return await work
  } catch (error) {
    tellFailure(failure, error)
    return undefined
  }
}

/** Puts a clip, still or embedding of the library into the form, for a pipeline that reads such. */
export async function takeIntoForm(result: FileResult, { pipeline, role, use }: MediaUse): Promise<void> {
  const ref = await keepResult(result)
  if (!ref) return
  const draft = draftStore.getState()
  const { models } = studioStore.getState()
  const next = draft.pipeline === pipeline ? draft : withPipeline(draft, pipeline, models)
  const before = toRun(next).settings
  const after = pipelineOf(pipeline).media![role]!.put(before, ref, models)
  const changed = Object.entries(after).filter(([name, value]) => value !== before[name as keyof typeof before])
  replaceDraft({ ...next, ...Object.fromEntries(changed) })
  goTo('generate')
  const what = `“${shortTitle(result.title)}” is in the form: ${pipelines[pipeline].title}.`
  tell('success', use, what, { label: 'Undo', perform: undoDraft })
}

/** What can be made of it with the models that are here, by the form's own pipeline where that can. */
export const usesHere = ({ kind }: Pick<FileResult, 'kind'>): MediaUse[] =>
  usesOf(kind, studioStore.getState().models, draftStore.getState().pipeline)

/** The first of that. */
export async function makeSomethingOf(result: FileResult): Promise<void> {
  const [use] = usesHere(result)
  if (use) await takeIntoForm(result, use)
}
