import { add, matmul, mul, reshape, slice, softmax, transpose } from '../functions.ts'
import type { Graph, Node, Value } from '../graph.ts'
import { verify } from '../verify.ts'
import { inPieces } from './pieces.ts'
import { replaceNodes } from './replace-nodes.ts'

/** The scores of this many bytes are in memory at a time. */
const scoreBytes = 256 * 2 ** 20

/** The graph with its attention in plain operators, for providers whose own operator for it is wrong. Verified. */
export function plainAttention(graph: Graph): Graph {
  const result = replaceNodes(graph, (node) => (node.op === 'MultiHeadAttention' ? () => [attention(node)] : undefined))
  verify(result, 'after "plain attention"')
  return result
}

/** softmax(Q K^T * scale + bias) V, with the operator's inputs and attributes. */
function attention({ inputs, attributes }: Node): Value {
  const [query, key, value, , , bias] = inputs as [Value, Value, Value, null?, null?, Value?]
  const heads = attributes['num_heads'] as number
  const [batch, length, hidden] = query.shape as [number, number, number]
  const scale = (attributes['scale'] as number | undefined) ?? (hidden / heads) ** -0.5
  const keyLength = key.shape[1]!
  return inPieces(batch, scoreBytes / (heads * length * keyLength * 4), 0, (begin, end) => {
    const part = (x: Value): Value => (end - begin === batch || x.shape[0] === 1 ? x : slice(x, 0, begin, end))
    const split = (x: Value, perm: readonly number[]): Value =>
      transpose(reshape(part(x), [end - begin, x.shape[1]!, heads, x.shape[2]! / heads]), perm)
    const scores = matmul(mul(split(query, [0, 2, 1, 3]), scale), split(key, [0, 2, 3, 1]))
    const attended = matmul(softmax(bias ? add(scores, part(bias)) : scores), split(value, [0, 2, 1, 3]))
    return reshape(transpose(attended, [0, 2, 1, 3]), [end - begin, length, value.shape[2]!])
  })
}
