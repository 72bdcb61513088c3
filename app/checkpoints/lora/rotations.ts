import { ProblemError } from '#app/contract/errors.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { showShape } from '#app/tensor/tensor.ts'
import { quoted } from '../file.ts'
import { readWeight } from '../read.ts'
import type { Weight } from '../weights.ts'
import type { LoraLayer } from './layer.ts'

/**
 * A layer of OFT (arXiv 2306.07280) or BOFT (arXiv 2311.06243) with what its blocks stand for: the rotation less the
 * identity, by Cayley's transform R = (I + Q) (I - Q)^-1 of the skew-symmetric Q. Others as they are. An inverse is no
 * operator of a graph, so these blocks are read. Source: lycoris/functional/diag_oft.py get_r. Throws bad-model.
 */
export async function withRotations(layer: LoraLayer): Promise<LoraLayer> {
  const blocks = layer.weights.oft_blocks
  if (!blocks) return layer
  const size = blocks.shape.at(-1)!
  if (blocks.shape.length < 3 || blocks.shape.at(-2) !== size)
    throw new ProblemError('bad-model', `the LoRA weight ${quoted(blocks.name)} has shape ${showShape(blocks.shape)}`, {
      field: blocks.name,
    })
  const { data } = toFloat32(await readWeight(blocks))
  const skew = new Float64Array(data.length)
  for (let start = 0; start < data.length; start += size * size)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        skew[start + i * size + j] = data[start + i * size + j]! - data[start + j * size + i]!
  const norm = Math.sqrt(skew.reduce((sum, value) => sum + value * value, 0)) + 1e-8
  const most = (layer.constraint ?? 0) * blocks.shape.at(-3)! * size
  if (most > 0 && norm > most) for (let i = 0; i < skew.length; i++) skew[i]! *= most / norm
  const turned = new Float32Array(data.length)
  for (let start = 0; start < data.length; start += size * size)
    turned.set(rotationLessIdentity(skew.subarray(start, start + size * size), size), start)
  const rotations: Weight = { ...blocks, dtype: 'float32', source: { bytes: new Uint8Array(turned.buffer) } }
  return { ...layer, weights: { ...layer.weights, oft_blocks: rotations } }
}

/**
 * (I + Q) (I - Q)^-1 - I = 2 Q (I - Q)^-1 = 2 (I - Q)^-1 Q, whose factors commute: (I - Q) X = 2 Q by elimination. I -
 * Q has no eigenvalue below 1, so it is never singular.
 */
function rotationLessIdentity(skew: Float64Array, size: number): Float64Array {
  const left = Float64Array.from(skew, (value, i) => (i % (size + 1) === 0 ? 1 : 0) - value)
  const right = skew.map((value) => 2 * value)
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let row = column + 1; row < size; row++)
      if (Math.abs(left[row * size + column]!) > Math.abs(left[pivot * size + column]!)) pivot = row
    if (pivot !== column) for (const matrix of [left, right]) swapRows(matrix, size, pivot, column)
    const factor = left[column * size + column]!
    for (let j = 0; j < size; j++) {
      left[column * size + j]! /= factor
      right[column * size + j]! /= factor
    }
    for (let row = 0; row < size; row++) {
      const times = left[row * size + column]!
      if (row === column || times === 0) continue
      for (let j = 0; j < size; j++) {
        left[row * size + j]! -= times * left[column * size + j]!
        right[row * size + j]! -= times * right[column * size + j]!
      }
    }
  }
  return right
}

function swapRows(matrix: Float64Array, size: number, a: number, b: number): void {
  const row = matrix.slice(a * size, (a + 1) * size)
  matrix.copyWithin(a * size, b * size, (b + 1) * size)
  matrix.set(row, b * size)
}
