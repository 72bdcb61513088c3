import { float32, type Tensor } from '#app/tensor/tensor.ts'
import type { Size } from './resolution-bins.ts'

/**
 * A picture (1, C, H, W) resized so that it covers a size, and cut to it from its centre: bilinear between the centres
 * of pixels, without a filter against aliases. Source: diffusers/src/diffusers/image_processor.py@58eb52c
 * PixArtImageProcessor.resize_and_crop_tensor; there some sizes come out a pixel short, by a slip that is not here.
 */
export function covering({ shape, data }: Tensor<'float32'>, { width, height }: Size): Tensor<'float32'> {
  const [, channels, rows, columns] = shape as [number, number, number, number]
  if (rows === height && columns === width) return float32(shape, data)
  const ratio = Math.max(height / rows, width / columns)
  const across = taps(columns, Math.max(width, Math.trunc(columns * ratio)), width)
  const down = taps(rows, Math.max(height, Math.trunc(rows * ratio)), height)
  const result = new Float32Array(channels * height * width)
  let to = 0
  for (let channel = 0; channel < channels; channel++)
    for (const y of down)
      for (const x of across) {
        const at = (row: number, column: number): number => data[(channel * rows + row) * columns + column]!
        const above = at(y.first, x.first) * (1 - x.share) + at(y.first, x.second) * x.share
        const below = at(y.second, x.first) * (1 - x.share) + at(y.second, x.second) * x.share
        result[to++] = above * (1 - y.share) + below * y.share
      }
  return float32([1, channels, height, width], result)
}

/** The two pixels beside each of the `kept` positions in the middle of `resized`, and the second's share. */
function taps(size: number, resized: number, kept: number): { first: number; second: number; share: number }[] {
  const start = Math.floor((resized - kept) / 2)
  return Array.from({ length: kept }, (_, i) => {
    const place = Math.max(0, ((start + i + 0.5) * size) / resized - 0.5)
    const first = Math.min(size - 1, Math.trunc(place))
    return { first, second: Math.min(size - 1, first + 1), share: place - first }
  })
}
