import type { Weight } from '#app/checkpoints/weights.ts'
import { sizeOf } from '#app/tensor/tensor.ts'
import { reshape, transpose } from '../functions.ts'
import type { Graph, Node, Value } from '../graph.ts'
import { isLinear } from './linear.ts'
import { mapPatches } from './patches.ts'
import { replaceNodes, type Replace } from './replace-nodes.ts'

/**
 * Matrix products and convolutions in 8 bits: activations as unsigned bytes with a scale and a zero point that are
 * taken from the tensor as it comes, weights as signed bytes with a scale for each output channel. Only the products
 * change: norms, softmax and attention stay in float32. Large models are 1.5 to 2.9 times as fast on a processor with
 * 8-bit dot products (docs/benchmarks.md; docs/decisions/precision.md, "int8: what is in 8 bits, and how").
 */

/** A weight (O, C, ...spatial) in 8 bits: columns (spatial * C, O) and their scales (O), with w = column * scale. */
export type EightBit = { readonly columns: Weight; readonly scales: Weight }

/**
 * Fewer rows are a layer that reads its weight once, such as a time embedding: little to win, and all else hangs on it.
 */
const fewestRows = 16
/** The first and the last layers, whose few channels cost little and show every error. */
const fewestChannels = 16

/** The weights that `toInt8` can take in 8 bits, each once. */
export function int8Weights(graph: Graph): Weight[] {
  const found = new Set<Weight>()
  const origin = origins(graph)
  const exact = beforeChoices(graph)
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (exact.has(node)) continue
      const weight = productOf(node, origin)
      if (weight) found.add(weight)
      if (node.body) visit(node.body.nodes)
    }
  }
  visit(graph.nodes)
  return [...found]
}

/** What the choice of an entry depends on, such as a VQModel's codes: a small error would choose another. */
function beforeChoices({ nodes }: Graph): ReadonlySet<Node> {
  const found = new Set<Node>()
  const wanted = new Set<Value | null>()
  for (const node of nodes.toReversed())
    if (node.op === 'ArgMax' || node.outputs.some((output) => wanted.has(output))) {
      found.add(node)
      for (const input of node.inputs) wanted.add(input)
    }
  return found
}

/** The graph with the products of these weights in 8 bits. Each quantizes its own input, though several may read it. */
export function toInt8(graph: Graph, eightBit: ReadonlyMap<Weight, EightBit>): Graph {
  const { builder } = graph.outputs[0]!.value
  const origin = origins(graph)
  const constants = new Map<Weight, Value>()
  const valueOf = (weight: Weight, path: string): Value => {
    const value = constants.get(weight) ?? builder.weight(weight, path)
    constants.set(weight, value)
    return value
  }
  const inEightBits: Replace = (node) => {
    const weight = productOf(node, origin)
    const bytes = weight && eightBit.get(weight)
    if (!bytes) return undefined
    const operand = [valueOf(bytes.columns, node.path), valueOf(bytes.scales, node.path)] as const
    return () => [node.op === 'Gemm' ? product(activation(node), operand, node.inputs[2] ?? null) : conv(node, operand)]
  }
  return replaceNodes(graph, [inEightBits])
}

type Origin = (value: Value) => Weight | undefined

/** The checkpoint's weight behind a value: itself, or widened from half precision. */
function origins(graph: Graph): Origin {
  const maker = new Map<Value, Node>()
  const visit = (node: Node): void => {
    for (const output of node.outputs) maker.set(output, node)
    node.body?.nodes.forEach(visit)
  }
  graph.nodes.forEach(visit)
  const origin = (value: Value): Weight | undefined => {
    const known = graph.known.get(value)
    if (known) return 'weight' in known ? known.weight : undefined
    const node = maker.get(value)
    return node?.op === 'Cast' ? origin(node.inputs[0]!) : undefined
  }
  return origin
}

/** The weight of a product that pays in 8 bits. */
function productOf(node: Node, origin: Origin): Weight | undefined {
  if (!isLinear(node) && !isPlainConv(node)) return undefined
  const [x, weight] = node.inputs as [Value, Value]
  const { shape } = node.outputs[0]!
  const rows = shape[0]! * sizeOf(shape.slice(2))
  if (rows < fewestRows || x.shape[1]! < fewestChannels || shape[1]! < fewestChannels) return undefined
  return origin(weight)
}

const isPlainConv = ({ op, inputs, attributes: { group = 1, dilations } }: Node): boolean =>
  op === 'Conv' && inputs[0]!.shape.length === 4 && group === 1 && (dilations === undefined || isOnes(dilations))

const isOnes = (values: unknown): boolean => Array.isArray(values) && values.every((value) => value === 1)

type Operand = readonly [columns: Value, scales: Value]

type Activation = { readonly x: Value; readonly scale: Value; readonly zeroPoint: Value }

function activation(node: Node): Activation {
  const input = node.inputs[0]!
  const [x, scale, zeroPoint] = input.builder.emitAll('DynamicQuantizeLinear', [input]) as [Value, Value, Value]
  return { x, scale, zeroPoint }
}

function product({ x, scale, zeroPoint }: Activation, [columns, scales]: Operand, bias: Value | null): Value {
  const operands = [x, columns, scale, scales, zeroPoint, null, bias]
  return x.builder.emit('MatMulIntegerToFloat', bias ? operands : operands.slice(0, 5))
}

function conv(node: Node, operand: Operand): Value {
  const { shape } = node.outputs[0]!
  const { x, ...rest } = activation(node)
  const pixels = mapPatches(x, rest.zeroPoint, node, (patches) =>
    product({ x: patches, ...rest }, operand, node.inputs[2] ?? null),
  )
  return reshape(transpose(pixels, [0, 2, 1]), shape)
}
