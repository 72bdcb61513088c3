import type { ClipSource, Pixels } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { openClip } from '#app/media/node/decode.ts'
import { resize } from '#app/media/resize.ts'
import { chooseFrames } from '#app/media/choose-frames.ts'
import { classify, type ClipReader } from '#app/pipelines/classify.ts'
import type { FrameSampling } from '#app/contract/settings.ts'
import type { Handler } from '../call.ts'
import { openClassifier } from '../open/classifier.ts'
import type { SessionCache } from '../session-cache.ts'

/** Height in pixels of the frames that come back to be shown. */
const thumbnailHeight = 144

/** Tells what a clip shows. */
export const classifyHandler = (sessions: SessionCache): Handler<'classify'> =>
  async function* ({ settings, model, source }, context) {
    yield { type: 'stage', stage: 'Reading the model', progress: 0 }
    const { parts } = await openClassifier(sessions, model.folder, model.name)
    context.checkCancelled()
    yield { type: 'stage', stage: 'Reading the clip', progress: 0.1 }
    const { clip, windows, notes } = await openSource(source, settings.sampling, parts.numFrames, context.signal)

    const running = classify(parts, clip, windows, settings.topK)
    let next = await running.next()
    while (!next.done) {
      const { done, total } = next.value
      context.checkCancelled()
      yield {
        type: 'stage',
        stage: total === 1 ? 'Looking at the clip' : `Window ${done} of ${total}`,
        progress: 0.1 + (0.9 * done) / total,
      }
      next = await running.next()
    }
    const { labels, frames } = next.value
    return {
      classification: { labels, windows, frameCount: clip.frameCount, notes, modelName: parts.modelName },
      pixels: thumbnails(frames),
    }
  }

type Source = { clip: ClipReader; windows: number[][]; notes: string[] }

async function openSource(
  source: ClipSource,
  sampling: FrameSampling,
  clipLen: number,
  signal: AbortSignal,
): Promise<Source> {
  if ('file' in source) {
    const clip = await openClip(source.file, { signal })
    return { clip, ...chooseFrames(sampling, clipLen, clip.frameCount) }
  }
  return fromPixels(source, sampling, clipLen)
}

/** Frames that the page decoded: already the ones that the sampling asks for, window after window. */
function fromPixels(
  { pixels, indices, frameCount = pixels.count, name }: Extract<ClipSource, { pixels: Pixels }>,
  sampling: FrameSampling,
  clipLen: number,
): Source {
  const frames = framesOf(pixels)
  const chosen = chooseFrames(sampling, clipLen, frameCount)
  const wanted = chosen.windows.flat()
  const byIndex = new Map((indices ?? frames.map((_, i) => i)).map((index, i) => [index, frames[i]]))
  const missing = wanted.find((index) => !byIndex.has(index))
  if (missing !== undefined)
    throw new ProblemError('bad-media', `${name}: frame ${missing} is needed and was not sent`, { file: name })
  const readFrames = (asked: readonly number[]): Promise<RgbFrame[]> =>
    Promise.resolve(asked.map((index) => byIndex.get(index)!))
  return { clip: { frameCount, readFrames }, ...chosen }
}

function framesOf({ width, height, count, data }: Pixels): RgbFrame[] {
  const size = width * height * 3
  if (data.length !== size * count)
    throw new ProblemError(
      'bad-media',
      `${count} frames of ${width}x${height} need ${size * count} bytes, not ${data.length}`,
    )
  return Array.from({ length: count }, (_, i) => ({ width, height, data: data.subarray(i * size, (i + 1) * size) }))
}

function thumbnails(frames: readonly RgbFrame[]): Pixels {
  const { width, height } = frames[0]!
  const scale = Math.min(1, thumbnailHeight / height)
  const small = frames.map((frame) =>
    resize(frame, Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)), 'bilinear'),
  )
  const size = small[0]!.data.length
  const data = new Uint8Array(size * small.length)
  small.forEach((frame, i) => {
    data.set(frame.data, i * size)
  })
  return { width: small[0]!.width, height: small[0]!.height, count: small.length, data }
}
