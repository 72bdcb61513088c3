import { createGenerator } from '#app/tensor/generator.ts'
import { float32, sizeOf, type Shape, type Tensor } from '#app/tensor/tensor.ts'

/** Drawn once and then repeated: a prime, so that no row of a tensor is like the next. */
const period = 65_521

/** A tensor of normal values, to measure with. */
export function normalValues(shape: Shape, seed: number): Tensor<'float32'> {
  const size = sizeOf(shape)
  const { data } = createGenerator(seed).normal([Math.max(16, Math.min(size, period))])
  return float32(
    shape,
    Float32Array.from({ length: size }, (_, i) => data[i % period]!),
  )
}
