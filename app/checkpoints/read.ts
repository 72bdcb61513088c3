import type { DType, Tensor, TensorData } from '#app/tensor/tensor.ts'
import { withFile } from './file.ts'
import type { Weight } from './weights.ts'

const arrayOf: { readonly [D in DType]: new (buffer: ArrayBuffer) => TensorData<D> } = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
}

/**
 * The weight's values in memory of their own, in the checkpoint's dtype; reads its range of the file and nothing else.
 */
export async function readWeight({ dtype, shape, source }: Weight): Promise<Tensor> {
  // A copy also for bytes in memory: a typed array must start at a multiple of its element size.
  const bytes =
    'bytes' in source
      ? Uint8Array.from(source.bytes)
      : await withFile(source.file, (file) => file.read(source.offset, source.length))
  return { dtype, shape, data: new arrayOf[dtype](bytes.buffer) }
}

export { toFloat32 } from '#app/tensor/convert.ts'
