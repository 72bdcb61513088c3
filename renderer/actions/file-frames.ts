import { openVideo } from '#renderer/media/decode.ts'
import { evenFrameIndices } from '#app/media/sample-frames.ts'
import { loadFrames, type FrameSet } from '#renderer/store/frames.ts'
import { decodeAnimation } from '#renderer/store/pixels.ts'
import { isStillFormat } from './classify.ts'

/** A long clip is shown by this many of its frames. */
const mostShown = 96
const longestSide = 960

/** Frames of a file to look at before it is classified. */
export const showFile = (file: File, url: string): void =>
  loadFrames(`file:${url}`, () => (isStillFormat(file) ? decodeAnimation(file, mostShown) : readVideo(file)))

async function readVideo(file: File): Promise<FrameSet> {
  const video = await openVideo(file)
  try {
    const total = video.frameCount
    const shown = Math.min(total, mostShown)
    const indices =
      shown === total ? Array.from({ length: total }, (_, i) => i) : [...evenFrameIndices(shown, total).indices]
    const images: ImageData[] = []
    try {
      for await (const frame of video.each(indices)) images.push(await fitted(frame))
    } catch (error) {
      // A file that is cut short or damaged is shown up to there; what is wrong with it, the host says.
      if (images.length === 0) throw error
    }
    const first = images[0]
    if (!first) throw new Error(`${file.name} has no frames.`)
    const there = images.length === shown ? total : Math.round((images.length * total) / shown)
    return { width: first.width, height: first.height, images, total: there, fps: (video.fps * shown) / total }
  } finally {
    video.close()
  }
}

type Rgb = { width: number; height: number; data: Uint8Array }

async function fitted({ width, height, data }: Rgb): Promise<ImageData> {
  const image = new ImageData(width, height)
  for (let to = 0, from = 0; to < image.data.length; to += 4, from += 3) {
    image.data[to] = data[from]!
    image.data[to + 1] = data[from + 1]!
    image.data[to + 2] = data[from + 2]!
    image.data[to + 3] = 255
  }
  const scale = longestSide / Math.max(width, height)
  if (scale >= 1) return image
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)]
  const context = new OffscreenCanvas(w, h).getContext('2d')!
  context.drawImage(await createImageBitmap(image, { resizeWidth: w, resizeHeight: h, resizeQuality: 'medium' }), 0, 0)
  return context.getImageData(0, 0, w, h)
}
