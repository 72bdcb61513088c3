/** Sum of coefficient * array over the terms, each operation in float32. Every linear step of a solver is one call. */
export function weightedSum(...terms: readonly (readonly [number, Float32Array])[]): Float32Array {
  const sum = new Float32Array(terms[0]?.[1].length ?? 0)
  for (const [coefficient, values] of terms) {
    if (values.length !== sum.length) throw new Error(`${values.length} values do not match ${sum.length}`)
    // A zero coefficient drops its term, so that a spent history holding infinity cannot make NaN of it.
    if (coefficient === 0) continue
    const factor = Math.fround(coefficient)
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + Math.fround(factor * (values[i] ?? 0))
  }
  return sum
}

export function clamped(values: Float32Array, limit: number): Float32Array {
  return values.map((value) => Math.min(limit, Math.max(-limit, value)))
}

/** Evenly spaced in float32 as torch.linspace computes it: from both ends to the middle. */
export function linspaceFloat32(start: number, stop: number, count: number): Float32Array {
  const first = Math.fround(start)
  const last = Math.fround(stop)
  const step = Math.fround(Math.fround(last - first) / (count - 1))
  const half = Math.floor(count / 2)
  return Float32Array.from({ length: count }, (_, i) =>
    i < half ? first + Math.fround(step * i) : last - Math.fround(step * (count - 1 - i)),
  )
}
