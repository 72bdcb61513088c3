import { ProblemError } from '#app/contract/errors.ts'
import { bytesPerElement, showShape, sizeOf, type Shape } from '#app/tensor/tensor.ts'
import { quoted } from '../file.ts'
import { readWeight } from '../read.ts'
import type { Weight, Weights } from '../weights.ts'

/** The same bytes under another name, and under another shape of the same size. */
export const renamed = (weight: Weight, name: string, shape: Shape = weight.shape): Weight => ({
  ...weight,
  name,
  shape,
})

/** A 1x1 convolution's (out, in, 1, 1) as the matrix (out, in) that it is; anything else as it stands. */
export const withoutKernel = (shape: Shape): Shape =>
  shape.length > 2 && shape.slice(2).every((size) => size === 1) ? shape.slice(0, 2) : shape

/** Rows [begin, end) of the first axis: a part of the same range of the file. */
export function rowsOf({ dtype, shape, source }: Weight, name: string, begin: number, end: number): Weight {
  const row = sizeOf(shape.slice(1)) * bytesPerElement[dtype]
  const part = { name, dtype, shape: [end - begin, ...shape.slice(1)] }
  return 'bytes' in source
    ? { ...part, source: { bytes: source.bytes.subarray(begin * row, end * row) } }
    : { ...part, source: { ...source, offset: source.offset + begin * row, length: (end - begin) * row } }
}

const mostTurned = 2 ** 26

/** A matrix the other way round. No range of a file is that, so this one is read: for small matrices only. */
export async function transposed(weight: Weight, name: string): Promise<Weight> {
  const [height, width] = weight.shape as [number, number]
  if (weight.shape.length !== 2 || height * width > mostTurned)
    throw new ProblemError(
      'bad-model',
      `weight "${weight.name}" has shape ${showShape(weight.shape)}, which is no projection`,
      {
        field: weight.name,
      },
    )
  const { data } = await readWeight(weight)
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const size = bytesPerElement[weight.dtype]
  const turned = new Uint8Array(bytes.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      turned.set(bytes.subarray((y * width + x) * size, (y * width + x + 1) * size), (x * height + y) * size)
  return { name, dtype: weight.dtype, shape: [width, height], source: { bytes: turned } }
}

/** The weights below a prefix, by their keys without it. */
export function below(weights: Weights, prefix: string): Map<string, Weight> {
  return new Map(
    [...weights].filter(([key]) => key.startsWith(prefix)).map(([key, weight]) => [key.slice(prefix.length), weight]),
  )
}

const mostLayers = 1000

/** One more than the largest number that stands at `(\d+)` in any key; 0 when none does. */
export function countOf(keys: Iterable<string>, pattern: RegExp): number {
  let count = 0
  for (const key of keys) {
    const index = pattern.exec(key)?.[1]
    if (index !== undefined) count = Math.max(count, Number(index) + 1)
    if (count > mostLayers)
      throw new ProblemError('bad-model', `the key ${quoted(key)} counts more layers than any model has`, {
        field: key,
      })
  }
  return count
}
