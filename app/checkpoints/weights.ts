import type { DType, Shape } from '#app/tensor/tensor.ts'

/**
 * Where the bytes of a tensor are: a range of a file that is left where it is, or bytes in memory (views that had to be
 * gathered).
 */
export type WeightSource =
  { readonly file: string; readonly offset: number; readonly length: number } | { readonly bytes: Uint8Array }

/** One named tensor of a checkpoint. `file` is absolute, with symbolic links resolved; row-major, little-endian. */
export type Weight = {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly source: WeightSource
}

export type Weights = ReadonlyMap<string, Weight>
