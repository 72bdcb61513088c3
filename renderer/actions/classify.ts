import { chooseFrames } from '#app/media/choose-frames.ts'
import type { ClassifySettings } from '#app/contract/pipelines/video-classification.ts'
import { uploadFile, uploadFrames } from '#renderer/bridge/media.ts'
import { toProblem } from '#app/contract/errors.ts'
import { openVideo } from '#renderer/media/decode.ts'
import { computeProblem } from '#renderer/store/compute.ts'
import { classifyStore } from '#renderer/store/classify.ts'
import { callHost } from '#renderer/store/host.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { tellFailure } from '#renderer/store/toasts.ts'
import { goTo, setPlace, viewStore, type Source } from '#renderer/store/view.ts'

/** Goes to Classify with a clip or a file before it. */
function lookAt(source: Source, others: readonly File[] = []): void {
  const { source: before } = viewStore.getState().places.classify
  if (before?.kind === 'file') URL.revokeObjectURL(before.url)
  setPlace('classify', { source, shown: null })
  goTo('classify')
  classifyStore.setState({ problem: null, others })
}

/** Goes to Classify with the first of these files before it, the others after that. */
export function lookAtFiles(...[file, ...others]: File[]): void {
  if (file) lookAt({ kind: 'file', file, url: URL.createObjectURL(file) }, others)
}

/** Classifies what Classify looks at, and then the files that wait behind it. */
export async function classify(): Promise<void> {
  const { source } = viewStore.getState().places.classify
  const { draft, preparing, others } = classifyStore.getState()
  if (!source || preparing) return
  const { models, engine } = studioStore.getState()
  const model = models.find((entry) => entry.id === draft.model)
  const problem = model ? computeProblem(draft.compute, engine) : 'Choose a classifier first.'
  if (!model || problem) {
    classifyStore.setState({ problem: problem ?? null })
    return
  }
  classifyStore.setState({ preparing: 'Starting', problem: null })
  try {
    const jobId = await send(source, draft, model.numFrames)
    setPlace('classify', { shown: { kind: 'job', id: jobId } })
  } catch (error) {
    classifyStore.setState({ problem: toProblem(error).message })
  }
  // One that cannot be read keeps none of the others from it.
  for (const file of others) {
    try {
      await send({ kind: 'file', file }, draft, model.numFrames)
    } catch (error) {
      tellFailure(`${file.name} could not be classified`, error)
    }
    classifyStore.setState(({ others: left }) => ({ others: left.filter((other) => other !== file) }))
  }
  classifyStore.setState({ preparing: null })
}

/** @returns the id of the job */
async function send(
  source: Extract<Source, { kind: 'clip' }> | Pick<Extract<Source, { kind: 'file' }>, 'kind' | 'file'>,
  settings: ClassifySettings,
  clipLen: number | undefined,
): Promise<string> {
  const where = source.kind === 'clip' ? { clipId: source.id } : await prepare(source.file, settings, clipLen)
  return (await callHost((host) => host.run({ pipeline: 'video-classification', settings, source: where }))).jobId
}

/** Sends only the frames that are needed where the page can decode the file, the whole file where it cannot. */
async function prepare(
  file: File,
  settings: ClassifySettings,
  clipLen: number | undefined,
): Promise<{ uploadId: string }> {
  const say = (preparing: string): void => classifyStore.setState({ preparing })
  if (clipLen !== undefined && !isStillFormat(file)) {
    try {
      say('Reading frames')
      const video = await openVideo(file)
      try {
        const { width, height, frameCount } = video
        const wanted = chooseFrames(settings.sampling, clipLen, frameCount).windows.flat()
        const indices = [...new Set(wanted)].sort((a, b) => a - b)
        // As blobs the browser may keep them on disk: many frames of a large clip are more than a page should hold.
        const frames: Blob[] = []
        for await (const { data } of video.each(indices)) frames.push(new Blob([data as Uint8Array<ArrayBuffer>]))
        say('Sending frames')
        const sizes = { width, height, count: frames.length, indices, frameCount }
        return { uploadId: await uploadFrames(sizes, new Blob(frames), file.name) }
      } finally {
        video.close()
      }
    } catch (error) {
      // A container or codec that this browser does not know may still be one that the engine knows.
      if (toProblem(error).code !== 'unsupported') throw error
    }
  }
  say('Sending the file')
  return { uploadId: await uploadFile(file, file.name) }
}

export const isStillFormat = (file: File): boolean =>
  /^image\//.test(file.type) || /\.(gif|webp|png|apng)$/i.test(file.name)

/** One click from a clip to its labels. */
export async function classifyClip(id: string): Promise<void> {
  lookAt({ kind: 'clip', id })
  await classify()
}
