import { bytesPerElement, sizeOf } from '#app/tensor/tensor.ts'
import type { TorchView } from './torch-names.ts'

/** How many elements a view has, and the storage index after the last one that it touches. */
export function spanOf({ shape, strides, start }: TorchView): { elements: number; end: number } {
  const elements = sizeOf(shape)
  if (elements === 0) return { elements, end: 0 }
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, start)
  return { elements, end: last + 1 }
}

/** Whether the elements lie in row-major order without gaps; the strides of axes of size 1 do not count. */
export function isContiguous({ shape, strides }: TorchView): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false
    expected *= shape[axis]!
  }
  return true
}

/** The view's elements in row-major order. `bytes` starts at the view's first element and reaches to its last. */
export function gather(bytes: Uint8Array, { shape, strides, dtype }: TorchView): Uint8Array {
  const width = bytesPerElement[dtype]
  const result = new Uint8Array(sizeOf(shape) * width)
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < result.length; to += width) {
    for (let i = 0; i < width; i++) result[to + i] = bytes[from * width + i]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      from -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return result
}
