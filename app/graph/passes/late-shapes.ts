import { mul } from '../functions.ts'
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
  const late = (target: Value): Value => {
    const known = made.get(target) ?? collect(() => mul(target, one))
    made.set(target, known)
    return known
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
