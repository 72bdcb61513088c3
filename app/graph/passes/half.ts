import { float32ToFloat16 } from '#app/tensor/half.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { cast } from '../functions.ts'
import type { Graph, Node, Value } from '../graph.ts'
import type { OpName } from '../ops/ops.ts'

/** What is computed in half precision wherever it stands. */
const products: ReadonlySet<OpName> = new Set(['Gemm', 'MatMul', 'Conv', 'MultiHeadAttention'])

/**
 * What stays in the precision that its input has. All else (norms, softmax, means, sines, exponentials) is float32:
 * sums over many values and steep functions lose too much in 11 bits, or overflow beyond 65504.
 */
const followers: ReadonlySet<OpName> = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Neg',
  'Relu',
  'LeakyRelu',
  'HardSwish',
  'Sigmoid',
  'Tanh',
  'Gelu',
  'QuickGelu',
  'Clip',
  'Identity',
  'Reshape',
  'Expand',
  'Transpose',
  'Concat',
  'Split',
  'Slice',
  'Gather',
  'Pad',
  'Resize',
  'AveragePool',
])

/**
 * The graph with its products in float16, for graphics processors; inputs and outputs keep their types. Half-precision
 * weights are taken as they are in their file, others are narrowed when the graph is opened. Leaves casts behind that
 * nothing needs.
 */
export function toHalf(graph: Graph): Graph {
  const { builder } = graph.outputs[0]!.value
  /** Values that are made in half precision, by the value of the given graph. */
  const made = new Map<Value, Value>()
  const narrowed = new Map<Value, Value>()
  const widened = new Map<Value, Value>()
  const casts = new Map(graph.nodes.filter(({ op }) => op === 'Cast').map((node) => [node.outputs[0]!, node]))
  const nodes: Node[] = []

  const emitCast = (value: Value, to: 'float16' | 'float32', path: string): Value => {
    const { nodes: added, made: output } = builder.collect(path, () => cast(value, to))
    nodes.push(...added)
    return output
  }
  const once = (cache: Map<Value, Value>, value: Value, make: () => Value): Value => {
    const known = cache.get(value) ?? make()
    cache.set(value, known)
    return known
  }
  const half = (value: Value, path: string): Value => {
    if (value.dtype !== 'float32') return value
    return made.get(value) ?? once(narrowed, value, () => halfOf(value, path))
  }
  const halfOf = (value: Value, path: string): Value => {
    const known = graph.known.get(value)
    if (known && 'constant' in known) return builder.constant(halfTensor(known.constant))
    const before = casts.get(value)?.inputs[0]
    return before?.dtype === 'float16' && !made.has(before) ? before : emitCast(value, 'float16', path)
  }
  const full = (value: Value, path: string): Value => {
    const value16 = made.get(value)
    return value16 ? once(widened, value, () => emitCast(value16, 'float32', path)) : value
  }

  for (const node of graph.nodes) {
    const { op, path, attributes, outputs } = node
    if (products.has(op) || (followers.has(op) && node.inputs.some((input) => input && made.has(input)))) {
      const inputs = node.inputs.map((input) => input && half(input, path))
      const { nodes: added, made: values } = builder.collect(path, () => builder.emitAll(op, inputs, attributes))
      nodes.push(...added)
      outputs.forEach((output, i) => made.set(output, values[i]!))
    } else {
      const inputs = node.inputs.map((input) => input && full(input, path))
      nodes.push({ ...node, inputs, ...(node.body && { body: { ...node.body, nodes: inFull(node.body.nodes) } }) })
    }

    // A body is float32 as a whole: it may use what is made outside.
    function inFull(body: readonly Node[]): Node[] {
      return body.map((inner) => ({
        ...inner,
        inputs: inner.inputs.map((input) => input && full(input, path)),
        ...(inner.body && { body: { ...inner.body, nodes: inFull(inner.body.nodes) } }),
      }))
    }
  }
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: full(value, name) }))
  return { ...graph, nodes, outputs, known: builder.known }
}

function halfTensor({ shape, data }: Tensor): Tensor<'float16'> {
  return { dtype: 'float16', shape, data: float32ToFloat16(data as Float32Array) }
}
