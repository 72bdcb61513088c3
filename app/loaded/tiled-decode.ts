import type { autoencoderKl } from '#app/models/autoencoder-kl.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import type { LoadedModel } from './loaded-model.ts'

/** How much of a tile's side lies over the next one. */
const overlap = 0.25

type Image = Tensor<'float32'>

/**
 * Decodes latents (N, c, h, w) in tiles of `sampleSize` pixels a side, which lie over one another by a quarter and are
 * blended there: the memory of one tile, and a picture that differs a little, since each tile has norms and attention
 * of its own. Without a size it is the config's. What is not larger than a tile is decoded whole.
 *
 * Source: diffusers/src/diffusers/models/autoencoders/autoencoder_kl.py@58eb52c tiled_decode.
 */
export async function decodeTiled(
  model: LoadedModel<typeof autoencoderKl>,
  z: Image,
  sampleSize = [model.config.sample_size].flat()[0]!,
): Promise<Image> {
  const decode = async (part: Image): Promise<Image> => toFloat32((await model.run('decode', { z: part })).sample)
  const latentSize = Math.floor(sampleSize / 2 ** (model.config.block_out_channels.length - 1))
  const [, , height, width] = z.shape as [number, number, number, number]
  if (width <= latentSize && height <= latentSize) return decode(z)
  const step = Math.floor(latentSize * (1 - overlap))
  const extent = Math.floor(sampleSize * overlap)
  const kept = sampleSize - extent
  const rows: Image[] = []
  let above: Image[] = []
  for (let top = 0; top < height; top += step) {
    const row: Image[] = []
    for (let left = 0; left < width; left += step) {
      const tile = await decode(cut(z, [top, top + latentSize], [left, left + latentSize]))
      // What its own run gave may be memory of the session's.
      const own = float32(tile.shape, tile.data.slice())
      const [over, before] = [above[row.length], row.at(-1)]
      if (over) blend(over, own, 2, extent)
      if (before) blend(before, own, 3, extent)
      row.push(own)
    }
    rows.push(joined(row.map((tile) => cut(tile, [0, kept], [0, kept])), 3)) // prettier-ignore
    above = row
  }
  return joined(rows, 2)
}

type Span = readonly [begin: number, end: number]

/** The part of (N, C, H, W) between these rows and columns, or as much of it as there is. */
function cut({ shape, data }: Image, [top, bottom]: Span, [left, right]: Span): Image {
  const [images, channels, height, width] = shape as [number, number, number, number]
  const [rows, columns] = [Math.min(bottom, height) - top, Math.min(right, width) - left]
  const out = new Float32Array(images * channels * rows * columns)
  for (let plane = 0; plane < images * channels; plane++)
    for (let row = 0; row < rows; row++) {
      const from = (plane * height + top + row) * width + left
      out.set(data.subarray(from, from + columns), (plane * rows + row) * columns)
    }
  return float32([images, channels, rows, columns], out)
}

/** `b` begins as the end of `a`, above it (axis 2) or left of it (3), and goes over into itself. Writes into b. */
function blend(a: Image, b: Image, axis: 2 | 3, extent: number): void {
  const along = Math.min(a.shape[axis]!, b.shape[axis]!, extent)
  const lines = (image: Image): [length: number, inner: number] => [
    image.shape[axis]!,
    axis === 2 ? image.shape[3]! : 1,
  ]
  const [[lengthA, inner], [lengthB]] = [lines(a), lines(b)]
  const outer = b.data.length / (lengthB * inner)
  for (let line = 0; line < outer; line++)
    for (let i = 0; i < along; i++)
      for (let k = 0; k < inner; k++) {
        const at = (line * lengthB + i) * inner + k
        const end = (line * lengthA + lengthA - along + i) * inner + k
        b.data[at] = a.data[end]! * (1 - i / along) + b.data[at]! * (i / along)
      }
}

/** Images one below the other (axis 2) or side by side (3). */
function joined(parts: readonly Image[], axis: 2 | 3): Image {
  const shape = [...parts[0]!.shape] as [number, number, number, number]
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis]!, 0)
  const out = new Float32Array(shape.reduce((product, size) => product * size))
  const inner = axis === 2 ? shape[3] : 1
  const outer = out.length / (shape[axis] * inner)
  let begin = 0
  for (const { shape: own, data } of parts) {
    const run = own[axis]! * inner
    for (let line = 0; line < outer; line++)
      out.set(data.subarray(line * run, (line + 1) * run), line * shape[axis] * inner + begin)
    begin += run
  }
  return float32(shape, out)
}
