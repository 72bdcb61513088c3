import type { Graph, Node, Value } from '../graph.ts'
import { substitute } from './rewrite.ts'

/** Equal work is done once: every residual block, for one, applies the same activation to the same time embedding. */
export function shareCommon(graph: Graph): Graph {
  const replacement = new Map<Value, Value>()
  const first = new Map<string, Node>()
  const kept: Node[] = []
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => (input ? (replacement.get(input) ?? input).name : ''))
    const key = `${node.op} ${inputs.join('\n')} ${JSON.stringify(node.attributes)}`
    const twin = node.op === 'Identity' || node.body ? undefined : first.get(key)
    if (twin) node.outputs.forEach((output, i) => replacement.set(output, twin.outputs[i]!))
    else {
      first.set(key, node)
      kept.push(node)
    }
  }
  return substitute(graph, kept, replacement)
}
