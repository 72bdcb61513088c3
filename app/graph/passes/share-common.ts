import type { Graph, Node, Value } from '../graph.ts'
import { substitute } from './rewrite.ts'

/** Equal work is done once: every residual block, for one, applies the same activation to the same time embedding. */
export function shareCommon(graph: Graph): Graph {
  const replacement = new Map<Value, Value>()
  const now = (value: Value | null): Value | null => value && (replacement.get(value) ?? value)
  const kept: Node[] = []
  /** Of those that are kept, by what they read first. */
  const readers = new Map<Value | null, Node[]>()
  for (const node of graph.nodes) {
    if (node.op === 'Identity' || node.body) {
      kept.push(node)
      continue
    }
    const inputs = node.inputs.map(now)
    const alike = readers.get(inputs[0]!) ?? []
    const twin = alike.find(
      (other) => isSameWork(node, other) && other.inputs.every((input, i) => now(input) === inputs[i]),
    )
    if (twin) node.outputs.forEach((output, i) => replacement.set(output, twin.outputs[i]!))
    else {
      alike.push(node)
      readers.set(inputs[0]!, alike)
      kept.push(node)
    }
  }
  return substitute(graph, kept, replacement)
}

const isSameWork = (a: Node, b: Node): boolean =>
  a.op === b.op && a.inputs.length === b.inputs.length && JSON.stringify(a.attributes) === JSON.stringify(b.attributes)
