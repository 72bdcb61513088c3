import { chooseFrames } from '#app/media/choose-frames.ts'
import type { ClassifySettings } from '#app/contract/pipelines/video-classification.ts'
import { uploadFile, uploadFrames } from '#renderer/bridge/media.ts'
import { toProblem } from '#app/contract/errors.ts'
import { openVideo } from '#renderer/media/decode.ts'
import { computeProblem } from '#renderer/store/compute.ts'
import { classifyStore } from '#renderer/store/classify.ts'
import { callHost } from '#renderer/store/host.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { goTo, setPlace, viewStore, type Source } from '#renderer/store/view.ts'

/** Goes to Classify with a clip or a file before it. */
function lookAt(source: Source): void {
  const { source: before } = viewStore.getState().places.classify
  if (before?.kind === 'file') URL.revokeObjectURL(before.url)
  setPlace('classify', { source, shown: null })
  goTo('classify')
  classifyStore.setState({ problem: null })
}

export const lookAtFile = (file: File): void => lookAt({ kind: 'file', file, url: URL.createObjectURL(file) })

/** Classifies what Classify looks at. */
export async function classify(): Promise<void> {
  const { source } = viewStore.getState().places.classify
  const { draft, preparing } = classifyStore.getState()
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
    const where = source.kind === 'clip' ? { clipId: source.id } : await prepare(source.file, draft, model.numFrames)
    const { jobId } = await callHost((host) =>
      host.run({ pipeline: 'video-classification', settings: draft, source: where }),
    )
    setPlace('classify', { shown: { kind: 'job', id: jobId } })
  } catch (error) {
    classifyStore.setState({ problem: toProblem(error).message })
  } finally {
    classifyStore.setState({ preparing: null })
  }
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
