/** Rounds halves to the even neighbour, as numpy does. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

/**
 * `count` evenly spaced numbers from `start` to `stop`, both included, in numpy's order of operations: what is
 * truncated afterwards shows a different last bit.
 */
export function linspace(start: number, stop: number, count: number): number[] {
  const step = (stop - start) / (count - 1)
  return Array.from({ length: count }, (_, i) => (i === 0 ? start : i === count - 1 ? stop : start + i * step))
}
