import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The cosine of the angle between two tensors, each as one vector. */
export function cosine(a: Tensor, b: Tensor): number {
  const [x, y] = [toFloat32(a).data, toFloat32(b).data]
  let [product, xx, yy] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    product += x[i]! * y[i]!
    xx += x[i]! ** 2
    yy += y[i]! ** 2
  }
  return product / Math.sqrt(xx * yy)
}
