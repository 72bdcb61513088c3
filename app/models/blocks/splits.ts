import { concat, expand, reshape, slice, type Value } from '#app/graph/index.ts'

/**
 * `each` over `size` rows of x at a time, one run of rows after the other, and its results joined: what works on every
 * row by itself needs the memory of one run then. What goes `along` has one row, which is for all of them, or rows of
 * which each serves as many consecutive rows of x. All rows at once where `size` is undefined.
 *
 * Source: diffusers/src/diffusers/pipelines/free_noise_utils.py@58eb52c SplitInferenceModule; a loop of the graph
 * (docs/decisions/graph.md, "Forward chunking is a loop in the graph").
 */
export function inSplits<const Along extends readonly (Value | undefined)[]>(
  size: number | undefined,
  x: Value,
  along: Along,
  each: (x: Value, along: Along) => Value,
): Value {
  const rows = x.shape[0]!
  if (size === undefined || size >= rows) return each(x, along)
  const [turns, begin] = [Math.floor(rows / size), rows - (rows % size)]
  const cut = along.map((value) => (value && value.shape[0]! > 1 ? rowsFor(value, rows, size) : undefined))
  const eachOf = (part: Value, parts: readonly Value[]): Value => {
    const left = [...parts]
    return each(part, along.map((value, i) => (cut[i] ? left.shift() : value)) as unknown as Along)
  }
  const cuts = [x, ...cut.filter((value) => value !== undefined)]

  // The shorter run comes first: weights that a node widens for it are there for the loop too, and not the reverse.
  const [lastRows, ...lasts] = begin < rows ? cuts.map((value) => slice(value, 0, begin, rows)) : []
  const last = lastRows && eachOf(lastRows, lasts)
  const inTurns = cuts.map((value) => {
    const whole = value.shape[0] === rows && begin < rows ? slice(value, 0, 0, begin) : value
    return reshape(whole, [turns, whole.shape[0]! / turns, ...whole.shape.slice(1)])
  })
  const looped = x.builder.scan(inTurns, 0, (part, ...parts) => eachOf(part, parts))
  const joined = reshape(looped, [begin, ...looped.shape.slice(2)])
  return last ? concat([joined, last], 0) : joined
}

/** A row for each run where its rows serve whole runs, else one for each row of what they serve. */
function rowsFor(value: Value, rows: number, size: number): Value {
  const [own, ...rest] = value.shape as [number, ...number[]]
  const served = rows / own
  const times = served % size === 0 ? served / size : served
  return reshape(expand(reshape(value, [own, 1, ...rest]), [own, times, ...rest]), [own * times, ...rest])
}
