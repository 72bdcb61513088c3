import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts'
import type { Tensor } from './tensor.ts'

/** The same values as float32. float32 is returned as it is; float64 and large integers round to nearest. */
export function toFloat32(tensor: Tensor): Tensor<'float32'> {
  const { dtype, shape, data } = tensor
  return { dtype: 'float32', shape, data: float32Values(dtype, data) }
}

function float32Values(dtype: Tensor['dtype'], data: Tensor['data']): Float32Array {
  if (data instanceof Float32Array) return data
  if (dtype === 'float16') return float16ToFloat32(data as Uint16Array)
  if (dtype === 'bfloat16') return bfloat16ToFloat32(data as Uint16Array)
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number)
  return Float32Array.from(data)
}
