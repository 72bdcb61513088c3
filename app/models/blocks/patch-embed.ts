import { add, conv2d, reshape, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { dims, float32 } from '#app/tensor/tensor.ts'

export type PatchEmbedOptions = {
  readonly dim: number
  readonly patchSize: number
  /** Side of the grid, in patches, that the positions count in. */
  readonly baseSize: number
  readonly interpolationScale: number
}

/**
 * Patches with their positions: (B, C, H, W) -> (B, h * w, D), h = H / patchSize.
 * Source: diffusers/src/diffusers/models/embeddings.py@58eb52c PatchEmbed.
 */
export function patchEmbed(scope: Scope, image: Value, options: PatchEmbedOptions): Value {
  const { dim, patchSize: kernel } = options
  const patches = conv2d(scope.at('proj'), image, dim, { kernel, stride: kernel })
  const [batch, , rows, columns] = dims(patches, 4)
  const tokens = transpose(reshape(patches, [batch, dim, rows * columns]), [0, 2, 1])
  const positions = float32([1, rows * columns, dim], sinusoids2d(rows, columns, options))
  return add(tokens, image.builder.constant(positions))
}

/** Sines and cosines of the column, then of the row, scaled so that any grid spans what the base grid does. */
function sinusoids2d(
  rows: number,
  columns: number,
  { dim, baseSize, interpolationScale }: PatchEmbedOptions,
): Float32Array {
  // Rounded to floats where the reference's floats round.
  const place = (i: number, count: number): number =>
    Math.fround(Math.fround(i / Math.fround(count / baseSize)) / interpolationScale)
  const quarter = dim / 4
  const table = new Float32Array(rows * columns * dim)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      [place(column, columns), place(row, rows)].forEach((position, half) => {
        for (let i = 0; i < quarter; i++) {
          const angle = position / 10_000 ** (i / quarter)
          const at = (row * columns + column) * dim + half * (dim / 2) + i
          table[at] = Math.sin(angle)
          table[at + quarter] = Math.cos(angle)
        }
      })
  return table
}
