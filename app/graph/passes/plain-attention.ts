import { dims } from '#app/tensor/tensor.ts'
import { add, matmul, mul, reshape, slice, softmax, transpose } from '../functions.ts'
import type { Node, Value } from '../graph.ts'
import { inPieces } from './pieces.ts'
import type { Replace } from './replace-nodes.ts'

/** The operator by itself, or plain operators with many or with few of the scores in memory at a time. */
export type AttentionKernel = 'fused' | 'plain' | 'sliced'

/** Queries, keys and the size of a head; with a bias on the scores or without. */
export type AttentionShape = {
  readonly batch: number
  readonly heads: number
  readonly queries: number
  readonly keys: number
  readonly headDim: number
  readonly biased: boolean
}

/** Scores that are in memory at a time; few of them are still in the processor's cache when they are multiplied. */
const scoreBytes = { plain: 256 * 2 ** 20, sliced: 4 * 2 ** 20 }

/** Attention by the kernels that `choose` names. */
export function attentionKernels(choose: (shape: AttentionShape) => AttentionKernel): Replace {
  return (node) => {
    const shape = attentionShape(node)
    const kernel = shape ? choose(shape) : 'fused'
    return kernel === 'fused' ? undefined : () => [attention(node, scoreBytes[kernel])]
  }
}

/** Whether the sliced kernel is another than the plain one: not where all scores fit in a slice. */
export const needsSlices = ({ batch, heads, queries, keys }: AttentionShape): boolean =>
  4 * batch * heads * queries * keys > scoreBytes.sliced

/** The shape of a node that is attention by the provider's own operator. */
export function attentionShape({ op, inputs, attributes }: Node): AttentionShape | undefined {
  if (op !== 'MultiHeadAttention') return undefined
  const [query, key, , , , bias] = inputs as [Value, Value, Value, null?, null?, Value?]
  const [batch, queries, hidden] = dims(query, 3)
  const heads = attributes['num_heads'] as number
  return { batch, heads, queries, keys: key.shape[1]!, headDim: hidden / heads, biased: Boolean(bias) }
}

/** softmax(Q K^T * scale + bias) V, with the operator's inputs and attributes. */
function attention({ inputs, attributes }: Node, bytesAtATime: number): Value {
  const [query, key, value, , , bias] = inputs as [Value, Value, Value, null?, null?, Value?]
  const heads = attributes['num_heads'] as number
  const [batch, length, hidden] = dims(query, 3)
  const scale = (attributes['scale'] as number | undefined) ?? (hidden / heads) ** -0.5
  const keyLength = key.shape[1]!
  return inPieces(batch, bytesAtATime / (heads * length * keyLength * 4), 0, (begin, end) => {
    const part = (x: Value): Value => (end - begin === batch || x.shape[0] === 1 ? x : slice(x, 0, begin, end))
    const split = (x: Value, perm: readonly number[]): Value =>
      transpose(reshape(part(x), [end - begin, x.shape[1]!, heads, x.shape[2]! / heads]), perm)
    // before the query: see blocks/attention.ts
    const [keys, values] = [split(key, [0, 2, 3, 1]), split(value, [0, 2, 1, 3])]
    const scores = matmul(mul(split(query, [0, 2, 1, 3]), scale), keys)
    const attended = matmul(softmax(bias ? add(scores, part(bias)) : scores), values)
    return reshape(transpose(attended, [0, 2, 1, 3]), [end - begin, length, value.shape[2]!])
  })
}
