import type { RawPixels } from '#renderer/bridge/media.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { FrameSet } from './frames.ts'

/** RGB24 frames as canvas images. */
export function imagesOfRaw({ width, height, count, data }: RawPixels): ImageData[] {
  return Array.from({ length: count }, (_, f) => {
    const image = new ImageData(width, height)
    for (let to = 0, from = f * width * height * 3; to < image.data.length; to += 4, from += 3) {
      image.data[to] = data[from]!
      image.data[to + 1] = data[from + 1]!
      image.data[to + 2] = data[from + 2]!
      image.data[to + 3] = 255
    }
    return image
  })
}

export function rgbOfImage(image: ImageData): RgbFrame {
  const data = new Uint8Array(image.width * image.height * 3)
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = image.data[from]!
    data[to + 1] = image.data[from + 1]!
    data[to + 2] = image.data[from + 2]!
  }
  return { width: image.width, height: image.height, data }
}

/**
 * The frames of an animated WebP or GIF, exact: all, or the first `most`. Throws `unsupported` in a browser without
 * ImageDecoder.
 */
export async function decodeAnimation(blob: Blob, most = Infinity): Promise<FrameSet> {
  if (typeof ImageDecoder === 'undefined')
    throw new ProblemError('unsupported', 'This browser cannot step through the frames of a clip. Chrome and Edge can.')
  const decoder = new ImageDecoder({
    data: blob.stream(),
    type: blob.type || 'image/webp',
    colorSpaceConversion: 'none',
  })
  await decoder.completed
  const count = Math.min(most, decoder.tracks.selectedTrack?.frameCount ?? 0)
  const images: ImageData[] = []
  let context: OffscreenCanvasRenderingContext2D | undefined
  for (let frameIndex = 0; frameIndex < count; frameIndex++) {
    const { image } = await decoder.decode({ frameIndex })
    const [width, height] = [image.displayWidth, image.displayHeight]
    context ??= new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!
    context.clearRect(0, 0, width, height)
    context.drawImage(image, 0, 0)
    image.close()
    images.push(context.getImageData(0, 0, width, height))
  }
  decoder.close()
  const first = images[0]
  if (!first) throw new ProblemError('bad-media', 'The clip has no frames.')
  return { width: first.width, height: first.height, images }
}
