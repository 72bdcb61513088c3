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
  const none = engine?.state === 'stopped' ? 'The engine is off: restart it first.' : 'Choose a classifier first.'
  const problem = model ? computeProblem(draft.compute, engine) : none
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

/**
 * Up to so many bytes the host's ffmpeg reads a file as fast as the page would, and says more of it. In a larger one
 * the page goes straight to the frames that are needed.
 */
const hostReadsUpTo = 64 * 2 ** 20

/**
 * Gives the host the whole file where it can read it, so that page and command line give one answer, or else the frames
 * that are needed, decoded here. Whatever goes wrong with that, the host has the last word on a file.
 */
async function prepare(
  file: File,
  settings: ClassifySettings,
  clipLen: number | undefined,
): Promise<{ uploadId: string }> {
  const say = (preparing: string): void => classifyStore.setState({ preparing })
  const hostReads = studioStore.getState().engine?.hasFfmpeg && file.size <= hostReadsUpTo
  if (clipLen !== undefined && !isStillFormat(file) && !hostReads) {
    say('Reading frames')
    const frames = await decodeFrames(file, settings, clipLen).catch(() => null)
    if (frames) {
      say('Sending frames')
      return { uploadId: await uploadFrames(frames.sizes, frames.pixels, file.name) }
    }
  }
  say('Sending the file')
  return { uploadId: await uploadFile(file, file.name) }
}

async function decodeFrames(file: File, settings: ClassifySettings, clipLen: number) {
  const video = await openVideo(file)
  try {
    const { width, height, frameCount } = video
    const wanted = chooseFrames(settings.sampling, clipLen, frameCount).windows.flat()
    const indices = [...new Set(wanted)].sort((a, b) => a - b)
    // As blobs the browser may keep them on disk: many frames of a large clip are more than a page should hold.
    const frames: Blob[] = []
    for await (const { data } of video.each(indices)) frames.push(new Blob([data as Uint8Array<ArrayBuffer>]))
    return { sizes: { width, height, count: frames.length, indices, frameCount }, pixels: new Blob(frames) }
  } finally {
    video.close()
  }
}

export const isStillFormat = (file: File): boolean =>
  /^image\//.test(file.type) || /\.(gif|webp|png|apng)$/i.test(file.name)

/** One click from a clip to its labels. */
export async function classifyClip(id: string): Promise<void> {
  lookAt({ kind: 'clip', id })
  await classify()
}
