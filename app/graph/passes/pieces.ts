import { concat } from '../functions.ts'
import type { Value } from '../graph.ts'

/** The results of `each` for at most `most` of `count` entries at a time, and for one at least, joined along an axis. */
export function inPieces(
  count: number,
  most: number,
  axis: number,
  each: (begin: number, end: number) => Value,
): Value {
  const step = Math.min(count, Math.max(1, Math.floor(most)))
  const pieces = Array.from({ length: Math.ceil(count / step) }, (_, i) =>
    each(i * step, Math.min(count, (i + 1) * step)),
  )
  return concat(pieces, axis)
}
