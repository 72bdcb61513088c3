import type { ResizeMode } from '#app/contract/pipelines/fields.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import type { RgbFrame } from './frame.ts'
import { resize } from './resize.ts'

/**
 * The picture at another size, by Lanczos' filter. `crop` keeps its shape: it covers the size and is cut to its middle.
 * Source: diffusers/src/diffusers/image_processor.py@58eb52c VaeImageProcessor.resize, with its whole numbers.
 */
export function fitPicture(frame: RgbFrame, width: number, height: number, mode: ResizeMode): RgbFrame {
  if (mode === 'default') return resize(frame, width, height, 'lanczos')
  const isWider = width / height > frame.width / frame.height
  const coverWidth = isWider ? width : Math.floor((frame.width * height) / frame.height)
  const coverHeight = isWider ? Math.floor((frame.height * width) / frame.width) : height
  const cover = resize(frame, coverWidth, coverHeight, 'lanczos')
  const left = (coverWidth >> 1) - (width >> 1)
  const top = (coverHeight >> 1) - (height >> 1)
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    const from = ((y + top) * coverWidth + left) * 3
    data.set(cover.data.subarray(from, from + width * 3), y * width * 3)
  }
  return { width, height, data }
}

/** A picture as an autoencoder takes it: (1, 3, H, W) in -1..1. */
export function pictureTensor({ width, height, data }: RgbFrame): Tensor<'float32'> {
  const plane = width * height
  const values = new Float32Array(3 * plane)
  // In the reference's two steps, each rounded to a float: to 0..1, then to -1..1.
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) values[c * plane + i] = 2 * Math.fround(data[i * 3 + c]! / 255) - 1
  return float32([1, 3, height, width], values)
}
