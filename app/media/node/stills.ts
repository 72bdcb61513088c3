import sharp from 'sharp'
import { ProblemError } from '#app/contract/errors.ts'
import { maxMegapixels, maxStillMegapixels, megapixels, type RgbFrame } from '../frame.ts'
import { fpsOfDelays } from '../timing.ts'
import { badMedia } from './ffprobe.ts'
import type { PictureStructure } from './picture-structure.ts'

export type PictureInfo = {
  readonly frameCount: number
  readonly width: number
  readonly height: number
  readonly fps: number
  /** What is wrong with the file though it can be read, in words. */
  readonly notes: readonly string[]
}

/**
 * A decoder lists all frames of such a file before it gives the first, and makes each of the one before it; so their
 * number is limited, and their pixels together: 1900 frames of 1080p.
 */
export const maxPictureFrames = 10_000
const maxMegapixelsInAll = 4000
/** In all for a bite of frames, in seconds. */
const patience = 60

/**
 * Pages decoded at a time: libvips builds every page from the first on, so few large bites are faster than many small
 * ones.
 */
const biteMegapixels = 32
const biteFrames = 256

/**
 * Size and frames of a GIF, WebP, PNG or JPEG file of this structure; a picture that does not move has one frame.
 * Throws `bad-media`.
 */
export async function probePicture(file: string, structure: PictureStructure, upright: boolean): Promise<PictureInfo> {
  const found = await sharp(file, { animated: true, limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => {
      const short = structure.cut ? 'it is cut short: copy or download it again' : 'it may be damaged: save it again'
      throw badMedia(file, `it cannot be read (${reason(error)}); ${short}`, error)
    })
  const height = found.pageHeight ?? found.height
  const size = { width: found.width, height }
  // Of a frame whose end is missing a decoder makes what it can.
  const pages = found.pages ?? 1
  const most = pages > 1 ? maxMegapixels : maxStillMegapixels
  if (megapixels(size) > most)
    throw badMedia(file, `it is ${size.width}x${size.height}; at most ${most} megapixels are opened`)
  const frameCount = structure.cut ? Math.max(1, Math.min(pages, structure.frames)) : pages
  if (frameCount * megapixels(size) > maxMegapixelsInAll)
    throw badMedia(
      file,
      `its ${frameCount} frames of ${size.width}x${size.height} are more than ${maxMegapixelsInAll} megapixels ` +
        'together, the most that is opened of such a file: make it smaller or shorter, or save it as MP4 or WebM',
    )
  const onItsSide = upright && (found.orientation ?? 1) >= 5
  return {
    frameCount,
    width: onItsSide ? height : found.width,
    height: onItsSide ? found.width : height,
    fps: fpsOfDelays((found.delay ?? []).slice(0, frameCount)),
    notes: structure.cut
      ? [`The clip is cut short: its file ends too early, and ${frameCount} whole ${plural(frameCount)} in it.`]
      : [],
  }
}

/**
 * The frames at these rising indices, composed as a player shows them; what is transparent is white, as ffmpeg has it.
 */
export async function* decodePictures(
  file: string,
  info: PictureInfo,
  indices: readonly number[],
  upright: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<RgbFrame> {
  const bite = Math.min(biteFrames, Math.max(1, Math.floor(biteMegapixels / megapixels(info))))
  for (let next = 0; next < indices.length;) {
    const first = indices[next]!
    const count = indices.findLast((index) => index < first + bite)! - first + 1
    const pages = info.frameCount > 1 ? { page: first, pages: count } : {}
    const picture = sharp(file, { ...pages, limitInputPixels: maxStillMegapixels * 1e6, failOn: 'error' })
    const decoding = (upright ? picture.autoOrient() : picture)
      .timeout({ seconds: patience })
      .flatten({ background: '#fff' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
      .catch((error: unknown) => {
        throw badMedia(file, `frame ${first} cannot be decoded (${reason(error)})`, error)
      })
    const { data, info: got } = await unlessAborted(decoding, signal)
    const frameBytes = info.width * info.height * 3
    if (got.width !== info.width || data.length !== frameBytes * count)
      throw badMedia(file, `${data.length} bytes were decoded where ${count} frames of ${frameBytes} were announced`)
    for (; next < indices.length && indices[next]! < first + count; next++) {
      const at = (indices[next]! - first) * frameBytes
      const pixels = new Uint8Array(data.buffer, data.byteOffset + at, frameBytes)
      // One of several would keep them all in memory.
      yield { width: info.width, height: info.height, data: count === 1 ? pixels : pixels.slice() }
    }
  }
}

/** What libvips has begun it ends; at a cancel nobody waits for it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  work.catch(() => {}) // it may fail after the cancel
  let cancel: (() => void) | undefined
  const cancelled = new Promise<never>((_, fail) => {
    cancel = () => fail(new ProblemError('cancelled', 'cancelled'))
    if (signal?.aborted) cancel()
    signal?.addEventListener('abort', cancel)
  })
  try {
    return await Promise.race([work, cancelled])
  } finally {
    if (cancel) signal?.removeEventListener('abort', cancel)
  }
}

const plural = (count: number): string => (count === 1 ? 'frame is' : 'frames are')

const reason = (error: unknown): string =>
  error instanceof Error ? error.message.split('\n')[0]!.trim() : String(error)
