import { mul, slice } from '../functions.ts'
import type { Graph, Node, Value } from '../graph.ts'
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
  const made = new Map<Value, Value>()
  const first: Node[] = []
  const collect = (make: () => Value): Value => {
    const { nodes, output } = builder.collect('shapes', make)
    first.push(...nodes)
    return output
  }
  const one = collect(() => alwaysOne(input))
  const lengths = new Map<number, Value>()
  const late = (target: Value): Value => {
    const known = made.get(target)
    if (known) return known
    const [length] = target.shape as [number]
    const end = lengths.get(length) ?? collect(() => mul(one, builder.integers([length])))
    lengths.set(length, end)
    // Also the number of axes is to be unknown: onnxruntime compares every tensor that has a shape with all that were freed before it,
    // which takes longer than all else that it does to open a graph of thousands of nodes.
    const value = collect(() => slice(target, 0, 0, length))
    const cut = first.pop()!
    first.push({ ...cut, inputs: [cut.inputs[0], cut.inputs[1], end, ...cut.inputs.slice(3)] as Value[] })
    made.set(target, value)
    return value
  }
  const isKnown = (value: Value): boolean => graph.known.has(value)
  const nodes = graph.nodes.map((node): Node => {
    const [x, target] = node.inputs as [Value, Value]
    return node.op === 'Reshape' && isKnown(target) && !isKnown(x) ? { ...node, inputs: [x, late(target)] } : node
  })
  // Of what the builder knows only what is used here: the rest was dropped by earlier passes.
  const used = new Set(first.flatMap(({ inputs }) => inputs))
  const added = [...builder.known].filter(([value]) => used.has(value))
  return { ...graph, nodes: [...first, ...nodes], known: new Map([...graph.known, ...added]) }
}
