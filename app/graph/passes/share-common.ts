import type { Graph, Node, Value } from '../graph.ts'
import { substitute } from './rewrite.ts'

/** Equal work is done once: every residual block, for one, applies the same activation to the same time embedding. */
export function shareCommon(graph: Graph): Graph {
  const replacement = new Map<Value, Value>()
  /** The nodes that are kept, by what they read first. */
  const kept = new Map<Value | null, Node[]>()
  const isSpare = (node: Node): boolean => {
    if (node.op === 'Identity' || node.body) return false
    const inputs = node.inputs.map((input) => input && (replacement.get(input) ?? input))
    const alike = kept.get(inputs[0]!) ?? []
    const twin = alike.find(
      (other) =>
        other.op === node.op && inputs.every((input, i) => input === now(other.inputs[i])) && sameSettings(node, other),
    )
    if (twin) node.outputs.forEach((output, i) => replacement.set(output, twin.outputs[i]!))
    else kept.set(inputs[0]!, [...alike, node])
    return twin !== undefined
  }
  const now = (value: Value | null | undefined): Value | null | undefined => value && (replacement.get(value) ?? value)
  return substitute(
    graph,
    graph.nodes.filter((node) => !isSpare(node)),
    replacement,
  )
}

const sameSettings = (a: Node, b: Node): boolean =>
  a.inputs.length === b.inputs.length && JSON.stringify(a.attributes) === JSON.stringify(b.attributes)
