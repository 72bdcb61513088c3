import type { DType } from '#app/tensor/tensor.ts'

/** The format's names of the element types that are read here. */
export const dtypeOf: ReadonlyMap<string, DType> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
])

export const nameOf: ReadonlyMap<DType, string> = new Map([...dtypeOf].map(([name, dtype]) => [dtype, name]))

/** What else the format knows (the Dtype enum of the safetensors crate, 0.6). */
export const unsupportedDtypes: ReadonlySet<string> = new Set([
  'U16',
  'U32',
  'U64',
  'F4',
  'F6_E2M3',
  'F6_E3M2',
  'F8_E5M2',
  'F8_E4M3',
  'F8_E8M0',
  'F8_E4M3FNUZ',
  'F8_E5M2FNUZ',
  'C64',
])
