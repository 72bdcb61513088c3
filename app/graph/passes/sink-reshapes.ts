import { sameShape, sizeOf } from '#app/tensor/tensor.ts'
import type { Graph, Node, Value } from '../graph.ts'
import type { OpName } from '../ops/ops.ts'
import { substitute } from './rewrite.ts'

const elementwise: ReadonlySet<OpName> = new Set<OpName>([
  ...(['Sqrt', 'Exp', 'Neg', 'Cast', 'Sigmoid', 'Tanh', 'Relu', 'Erf', 'Softplus', 'LeakyRelu', 'HardSwish'] as const),
  ...(['Gelu', 'FastGelu', 'QuickGelu'] as const),
])
const binary: ReadonlySet<OpName> = new Set<OpName>(['Add', 'Sub', 'Mul', 'Div'])
const alongLastAxis: ReadonlySet<OpName> = new Set<OpName>(['LayerNormalization', 'SimplifiedLayerNormalization'])

/**
 * Layers reshape to matrices and back, and what lies between does not care: so a reshape is done after the work on its
 * elements or its rows, where it meets the next one, and one of the two is enough: onnxruntime takes an equal time to
 * open each node. Leaves nodes behind that nothing needs.
 */
export function sinkReshapes(graph: Graph): Graph {
  const { builder } = graph.outputs[0]!.value
  /** What was reshaped to a value, in the new graph. */
  const origins = new Map<Value, Value>()
  const same = new Map<Value, Value>()
  const nodes: Node[] = []
  const originOf = (value: Value): Value => {
    const now = same.get(value) ?? value
    return origins.get(now) ?? now
  }
  const reshape = (node: Node, from: Value, target: Value): void => {
    const [output] = node.outputs as [Value]
    if (sameShape(from.shape, output.shape)) same.set(output, from)
    else {
      nodes.push({ op: 'Reshape', inputs: [from, target], outputs: [output], attributes: {}, path: node.path })
      origins.set(output, from)
    }
  }
  for (const node of graph.nodes) {
    if (node.op === 'Reshape') {
      reshape(node, originOf(node.inputs[0]!), node.inputs[1]!)
      continue
    }
    const inputs = before(node, originOf)
    if (!inputs) {
      nodes.push(node)
      continue
    }
    const attributes = alongLastAxis.has(node.op) ? { axis: inputs[0]!.shape.length - 1 } : {}
    const emitted = builder.collect(node.path, () =>
      builder.emit(node.op, inputs, { ...node.attributes, ...attributes }),
    )
    nodes.push(...emitted.nodes)
    reshape(node, emitted.made, builder.integers(node.outputs[0]!.shape))
  }
  return substitute({ ...graph, known: builder.known }, nodes, same)
}

/** The node's inputs as they were before they were reshaped, where the node does the same with them. */
function before(node: Node, originOf: (value: Value) => Value): readonly Value[] | undefined {
  const [x, ...others] = node.inputs as readonly Value[]
  if (!x || node.outputs.length !== 1) return undefined
  const origin = originOf(x)
  const sameRows = origin.shape.at(-1) === x.shape.at(-1)
  if (elementwise.has(node.op)) return origin === x ? undefined : [origin]
  if (alongLastAxis.has(node.op)) return origin !== x && sameRows ? [origin, ...others] : undefined
  const [other] = others
  if (node.op === 'FusedMatMul')
    return origin !== x && sameRows && other!.shape.length === 2 ? [origin, other!] : undefined
  if (!binary.has(node.op) || !other) return undefined
  const otherOrigin = originOf(other)
  if (origin !== x && sameRows && isRow(other)) return [origin, other]
  if (otherOrigin !== other && otherOrigin.shape.at(-1) === other.shape.at(-1) && isRow(x)) return [x, otherOrigin]
  const both = origin !== x && otherOrigin !== other && sameShape(x.shape, other.shape)
  return both && sameShape(origin.shape, otherOrigin.shape) ? [origin, otherOrigin] : undefined
}

/** One vector for all rows, or one number. */
const isRow = ({ shape }: Value): boolean => shape.length < 2 && sizeOf(shape) > 0
