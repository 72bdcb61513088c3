import { open, stat } from 'node:fs/promises'
import type { ClipSource } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { openClip } from '#app/media/node/decode.ts'
import type { ClipReader } from '../video-classification.ts'

/** Opens a clip to be read a frame at a time. Throws bad-media naming the file. */
export async function openSource(source: ClipSource, signal: AbortSignal): Promise<ClipReader> {
  if ('pixels' in source) return fromPixels(source)
  try {
    const clip = await openClip(source.file, { signal })
    const frames = async function* (rising: readonly number[]): AsyncGenerator<RgbFrame> {
      try {
        yield* clip.frames(rising, signal)
      } catch (error) {
        throw renamed(error, source)
      }
    }
    return { frameCount: clip.frameCount, notes: clip.notes, frames }
  } catch (error) {
    throw renamed(error, source)
  }
}

/** An upload's file has an id for its name, which says nothing to whoever chose it. */
function renamed(error: unknown, { file, name }: { file: string; name: string }): unknown {
  if (!(error instanceof ProblemError)) return error
  const { code, message, ...more } = error.problem
  return new ProblemError(code, message.replaceAll(file, name), {
    ...more,
    ...(more.file && { file: name }),
    cause: error,
  })
}

type RawSource = Extract<ClipSource, { pixels: unknown }>

async function fromPixels({ pixels, indices, frameCount = pixels.count, name }: RawSource): Promise<ClipReader> {
  const { width, height, count, file } = pixels
  const size = width * height * 3
  const { size: bytes } = await stat(file)
  if (bytes !== size * count)
    throw new ProblemError(
      'bad-media',
      `${name}: ${count} frames of ${width}x${height} need ${size * count} bytes, not ${bytes}.`,
    )
  const places = new Map(Array.from({ length: count }, (_, place) => [indices?.[place] ?? place, place]))
  async function* frames(rising: readonly number[]): AsyncGenerator<RgbFrame> {
    const handle = await open(file, 'r')
    try {
      for (const index of rising) {
        const place = places.get(index)
        if (place === undefined)
          throw new ProblemError('bad-media', `${name}: frame ${index} is needed and was not sent.`, { file: name })
        const data = new Uint8Array(size)
        await handle.read(data, 0, size, place * size)
        yield { width, height, data }
      }
    } finally {
      await handle.close()
    }
  }
  return { frameCount, notes: [], frames }
}
