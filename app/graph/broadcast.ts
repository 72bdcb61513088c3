import { showShape, type Shape } from '#app/tensor/tensor.ts'

/** The shape of an element-wise result by numpy's rules; throws when the two do not fit. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) throw new Error(`shapes ${showShape(a)} and ${showShape(b)} do not broadcast`)
    return x === 1 ? y : x
  })
}
