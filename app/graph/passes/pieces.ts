import { concat } from '../functions.ts'
import type { Value } from '../graph.ts'

/** [begin, end) of pieces of at most `most` of `count` entries, and of one at least. */
export function piecesOf(count: number, most: number): [begin: number, end: number][] {
  const step = Math.min(count, Math.max(1, Math.floor(most)))
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => [i * step, Math.min(count, (i + 1) * step)])
}

/** The results of `each` for such pieces, joined along an axis. */
export function inPieces(
  count: number,
  most: number,
  axis: number,
  each: (begin: number, end: number) => Value,
): Value {
  return concat(
    piecesOf(count, most).map(([begin, end]) => each(begin, end)),
    axis,
  )
}
