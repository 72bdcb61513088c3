import { dims } from '#app/tensor/tensor.ts'
import { reshape, slice, transpose } from '../functions.ts'
import type { Node, Value } from '../graph.ts'
import { inPieces } from './pieces.ts'

/**
 * Patches are made this many bytes at a time, so that they are still in the cache when they are multiplied
 * (docs/decisions/precision.md, "int8: what is in 8 bits, and how").
 */
const pieceBytes = 4 * 2 ** 20

/**
 * A convolution over bytes (N, C, H, W) as products: `multiply` takes patches (rows, kernel * C), the kernel's pixels
 * one after the other, and yields (rows, O). All of them are (N, H' * W', O). Beyond the edges lies `zeroPoint`.
 */
export function mapPatches(x: Value, zeroPoint: Value, conv: Node, multiply: (patches: Value) => Value): Value {
  const [batch, channels] = dims(x, 4)
  const [, , outHeight, outWidth] = dims(conv.outputs[0]!, 4)
  const positions = outHeight * outWidth
  const window = windowOf(conv)
  const padded = window.pads.some((pad) => pad > 0)
    ? x.builder.emit('Pad', [x, x.builder.integers(window.pads), zeroPoint])
    : x
  const pixels = transpose(reshape(padded, [batch, channels, -1]), [0, 2, 1])
  const bytes = window.offsets.length * channels
  if (window.offsets.length === 1 && pixels.shape[1] === positions)
    return reshape(multiply(reshape(pixels, [batch * positions, bytes])), [batch, positions, -1])

  const multiplied = (images: Value, begin: number, end: number): Value => {
    const patches = x.builder.emit('Gather', [images, tableOf(x, window, begin, end)], { axis: 1 })
    const rows = reshape(patches, [images.shape[0]! * (end - begin), bytes])
    return reshape(multiply(rows), [images.shape[0]!, end - begin, -1])
  }
  return inPieces(batch, pieceBytes / (bytes * positions), 0, (from, to) => {
    const images = to - from === batch ? pixels : slice(pixels, 0, from, to)
    return inPieces(positions, pieceBytes / bytes, 1, (begin, end) => multiplied(images, begin, end))
  })
}

type Window = {
  /** As Pad takes them, over all four axes. */
  readonly pads: readonly number[]
  /** The kernel's pixels, counted from its first one, in the padded image. */
  readonly offsets: readonly number[]
  /** The first pixel under the kernel for an output pixel. */
  readonly corner: (position: number) => number
  readonly key: string
}

function windowOf({ inputs, outputs, attributes }: Node): Window {
  const [kernelHeight, kernelWidth] = attributes['kernel_shape'] as readonly [number, number]
  const [down, across] = attributes['strides'] as readonly [number, number]
  const [top, left, bottom, right] = attributes['pads'] as readonly [number, number, number, number]
  const width = dims(inputs[0]!, 4)[3] + left + right
  const [, , , outWidth] = dims(outputs[0]!, 4)
  return {
    pads: [0, 0, top, left, 0, 0, bottom, right],
    offsets: Array.from(
      { length: kernelHeight * kernelWidth },
      (_, i) => Math.floor(i / kernelWidth) * width + (i % kernelWidth),
    ),
    corner: (position) => Math.floor(position / outWidth) * down * width + (position % outWidth) * across,
    key: [kernelHeight, kernelWidth, down, across, width, outWidth].join(),
  }
}

/** The places of the pixels of patches [begin, end). */
function tableOf(like: Value, window: Window, begin: number, end: number): Value {
  return like.builder.shared(`patches ${window.key} ${begin} ${end}`, () => {
    const data = new Int32Array((end - begin) * window.offsets.length)
    let i = 0
    for (let position = begin; position < end; position++)
      for (const offset of window.offsets) data[i++] = window.corner(position) + offset
    return { dtype: 'int32', shape: [data.length], data }
  })
}
