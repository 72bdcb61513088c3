import sharp from 'sharp'
import { maxMegapixels, megapixels, type RgbFrame } from '../frame.ts'
import { fpsOfDelays } from '../timing.ts'
import { badMedia } from './ffprobe.ts'

export type PictureInfo = {
  readonly frameCount: number
  readonly width: number
  readonly height: number
  readonly fps: number
}

/**
 * Pages decoded at a time: libvips builds every page from the first on, so few large bites are faster than many small
 * ones.
 */
const biteMegapixels = 32

/** Size and frames of a GIF, WebP, PNG or JPEG file; a picture that does not move has one frame. Throws `bad-media`. */
export async function probePicture(file: string, upright: boolean): Promise<PictureInfo> {
  const found = await sharp(file, { animated: true, limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => {
      throw badMedia(file, `it cannot be read (${reason(error)}). It may be damaged: save it again`, error)
    })
  const height = found.pageHeight ?? found.height
  const size = { width: found.width, height }
  if (megapixels(size) > maxMegapixels)
    throw badMedia(file, `it is ${size.width}x${size.height}; at most ${maxMegapixels} megapixels are opened`)
  const frameCount = found.pages ?? 1
  const onItsSide = upright && (found.orientation ?? 1) >= 5
  return {
    frameCount,
    width: onItsSide ? height : found.width,
    height: onItsSide ? found.width : height,
    fps: fpsOfDelays((found.delay ?? []).slice(0, frameCount)),
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
): AsyncGenerator<RgbFrame> {
  const bite = Math.max(1, Math.floor(biteMegapixels / megapixels(info)))
  for (let next = 0; next < indices.length;) {
    const first = indices[next]!
    const count = Math.min(bite, indices.at(-1)! - first + 1)
    const pages = info.frameCount > 1 ? { page: first, pages: count } : {}
    const picture = sharp(file, { ...pages, limitInputPixels: maxMegapixels * 1e6, failOn: 'error' })
    const { data, info: got } = await (upright ? picture.autoOrient() : picture)
      .flatten({ background: '#fff' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
      .catch((error: unknown) => {
        throw badMedia(file, `frame ${first} cannot be decoded (${reason(error)})`, error)
      })
    const frameBytes = info.width * info.height * 3
    if (got.width !== info.width || data.length !== frameBytes * count)
      throw badMedia(file, `${data.length} bytes were decoded where ${count} frames of ${frameBytes} were announced`)
    for (; next < indices.length && indices[next]! < first + count; next++) {
      const at = (indices[next]! - first) * frameBytes
      yield { width: info.width, height: info.height, data: new Uint8Array(data.subarray(at, at + frameBytes)) }
    }
  }
}

const reason = (error: unknown): string =>
  error instanceof Error ? error.message.split('\n')[0]!.trim() : String(error)
