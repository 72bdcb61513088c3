import { mul, split } from '../functions.ts'
import type { Graph, Known, Node } from '../graph.ts'
import { alwaysOne } from './always-one.ts'

/**
 * Reshapes by shapes that are known only when the graph runs. Where onnxruntime knows the shapes ahead, it lets a tensor take the place
 * of an earlier one of the same shape, and keeps that place until then: the feed-forward layers of a UNet's first level hold their
 * memory until the last level needs it. Without, each tensor is freed after its last use: 1.0 GB in place of 1.8 for the motion UNet,
 * and 4 % faster (docs/decisions.md). The last pass, because shapes cannot be verified after it.
 */
export function lateShapes(graph: Graph): Graph {
  const { builder } = graph.outputs[0]!.value
  const [input] = graph.inputs
  if (!input) return graph
  const isLate = ({ op, inputs }: Node): boolean => op === 'Reshape' && graph.known.has(inputs[1]!)
  // What is made of inputs and weights alone would have a shape that is known: one of them is reshaped, late, to what it is.
  const isGiven = (value: Value | null): boolean => !value || graph.known.has(value) || graph.inputs.includes(value)
  const given = graph.nodes.filter(
    (node) => !isLate(node) && node.inputs[0]!.shape.length > 0 && node.inputs.every(isGiven),
  )
  const veiled = new Map(given.map(({ inputs: [value] }) => [value!, reshapeOf(value!)]))
  const reshapes = [...[...veiled.values()].map(({ nodes: [node] }) => node!), ...graph.nodes.filter(isLate)]
  const targets = [...new Set(reshapes.map(({ inputs }) => inputs[1]!))]
  if (targets.length === 0) return graph

  // Also the number of axes is to be unknown: onnxruntime compares every tensor that has a shape with all that were freed before it,
  // which takes longer than all else that it does to open a graph of thousands of nodes. So the shapes are parts of one vector, of
  // lengths that are known late.
  const lengths = targets.map(({ shape }) => shape[0]!)
  const counted = builder.collect('shapes', () => mul(builder.integers(lengths), alwaysOne(input)))
  const all = builder.integers(targets.flatMap((target) => integersOf(builder.known.get(target)!)))
  const cut = builder.collect('shapes', () => split(all, lengths, 0)[0]!).nodes[0]!
  const first: Node[] = [...counted.nodes, { ...cut, inputs: [all, counted.output] }]

  const late = new Map(targets.map((target, i) => [target, cut.outputs[i]!]))
  const made = new Set(given)
  const nodes = [...[...veiled.values()].flatMap(({ nodes }) => nodes), ...graph.nodes].map((node): Node => {
    if (made.has(node)) return { ...node, inputs: [veiled.get(node.inputs[0]!)!.output, ...node.inputs.slice(1)] }
    return late.has(node.inputs[1]!) && node.op === 'Reshape'
      ? { ...node, inputs: [node.inputs[0]!, late.get(node.inputs[1]!)!] }
      : node
  })
  // Of what the builder knows only what is used here: the rest was dropped by earlier passes.
  const used = new Set(first.flatMap(({ inputs }) => inputs))
  const added = [...builder.known].filter(([value]) => used.has(value))
  return { ...graph, nodes: [...first, ...nodes], known: new Map([...graph.known, ...added]) }
}

/** A reshape to the shape that it has. */
const reshapeOf = (value: Value): ReturnType<Value['builder']['collect']> =>
  value.builder.collect('shapes', () => value.builder.emit('Reshape', [value, value.builder.integers(value.shape)]))

/** The entries of a constant shape. */
function integersOf(known: Known): number[] {
  if (!('constant' in known)) throw new Error('a shape is no weight')
  return Array.from(known.constant.data as BigInt64Array, Number)
}
