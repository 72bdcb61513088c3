import { add, concat, expand, matmul, mul, reshape, slice, softmax, transpose, type Value } from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'

/**
 * softmax(Q K^T / sqrt(d) + mask) V over (B, S, heads * d), (B, L, heads * d) twice -> (B, S, heads * d). The mask is
 * added to the scores: (1 or B, 1 or heads, 1 or S, L).
 */
export type AttentionKernel = (query: Value, key: Value, value: Value, heads: number, mask?: Value) => Value

/** By the provider's own operator, which never holds all scores at once. `scale` in the place of 1 / sqrt(d). */
export function fusedAttention(
  query: Value,
  key: Value,
  value: Value,
  heads: number,
  mask?: Value,
  scale?: number,
): Value {
  const attributes = { num_heads: heads, ...(scale !== undefined && { scale }) }
  if (!mask) return query.builder.emit('MultiHeadAttention', [query, key, value], attributes)
  // The operator repeats a mask over batch and heads, and not over the queries.
  const bias = expand(mask, [...mask.shape.slice(0, 2), query.shape[1]!, key.shape[1]!])
  return query.builder.emit('MultiHeadAttention', [query, key, value, null, null, bias], attributes)
}

/** In plain operators. */
export function explicitAttention(query: Value, key: Value, value: Value, heads: number, mask?: Value): Value {
  const { probabilities, values } = attentionParts(query, key, value, heads, mask)
  return joinHeads(matmul(probabilities, values))
}

/** Probabilities (B, heads, S, L) and values (B, heads, L, d), for models that return their attentions. */
export function attentionParts(
  query: Value,
  key: Value,
  value: Value,
  heads: number,
  mask?: Value,
): { probabilities: Value; values: Value } {
  // The query last, as in attention.ts.
  const [keys, values] = [splitHeads(key, heads, [0, 2, 3, 1]), splitHeads(value, heads)]
  const scores = matmul(mul(splitHeads(query, heads), (query.shape[2]! / heads) ** -0.5), keys)
  return { probabilities: softmax(mask ? add(scores, mask) : scores), values }
}

/**
 * `sliceSize` heads of the batch at a time, one slice after the other, so that only one slice's scores are in memory.
 * The last slice is smaller where the size does not divide. Scores that take no more than `smallBytes` as a whole are
 * not cut: there is nothing to save, and a loop takes longer.
 */
export function slicedAttention(sliceSize: number, smallBytes = 2 ** 20): AttentionKernel {
  return (query, key, value, heads, mask) => {
    const [batch, length, inner] = dims(query, 3)
    const rows = batch * heads
    const scoreBytes = 4 * rows * length * key.shape[1]!
    if (rows <= sliceSize || scoreBytes <= smallBytes) return explicitAttention(query, key, value, heads, mask)
    const flat = (x: Value): Value => reshape(x, [rows, ...x.shape.slice(2)])
    // The query last, as in attention.ts.
    const others = [
      flat(splitHeads(key, heads, [0, 2, 3, 1])),
      flat(splitHeads(value, heads)),
      ...(mask ? [flat(expand(mask, [batch, heads, ...mask.shape.slice(2)]))] : []),
    ]
    const operands = [flat(mul(splitHeads(query, heads), (inner / heads) ** -0.5)), ...others]
    const attended = inSlices(operands, sliceSize, attendSlice) // (B * heads, S, d)
    return joinHeads(reshape(attended, [batch, heads, length, inner / heads]))
  }
}

/** (n, S, d), (n, d, L), (n, L, d) and a mask (n, 1 or S, L) -> (n, S, d); the query is scaled already. */
function attendSlice(query: Value, key: Value, value: Value, mask?: Value): Value {
  const scores = matmul(query, key)
  return matmul(softmax(mask ? add(scores, mask) : scores), value)
}

function inSlices(
  operands: readonly Value[],
  size: number,
  each: (query: Value, key: Value, value: Value, mask?: Value) => Value,
): Value {
  const run = each as (...slices: Value[]) => Value
  const rows = operands[0]!.shape[0]!
  const whole = Math.floor(rows / size)
  const part = (x: Value, begin: number, end: number): Value => (end - begin === rows ? x : slice(x, 0, begin, end))
  const slices = operands.map((x) => reshape(part(x, 0, whole * size), [whole, size, ...x.shape.slice(1)]))
  const stacked = operands[0]!.builder.scan(slices, 0, run)
  const most = reshape(stacked, [whole * size, ...stacked.shape.slice(2)])
  return whole * size === rows ? most : concat([most, run(...operands.map((x) => part(x, whole * size, rows)))], 0)
}

/** (B, S, heads * d) -> (B, heads, S, d), or in another order of those axes. */
const splitHeads = (x: Value, heads: number, perm: readonly number[] = [0, 2, 1, 3]): Value =>
  transpose(reshape(x, [x.shape[0]!, x.shape[1]!, heads, -1]), perm)

/** (B, heads, S, d) -> (B, S, heads * d) */
export function joinHeads(x: Value): Value {
  const [batch, heads, length, headDim] = dims(x, 4)
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, heads * headDim])
}
