import type { Graph, Node, Value } from '../graph.ts'

/** Leaves out what no output needs: the first of two reshapes, casts of weights that are not used, spare constants. */
export function dropDead(graph: Graph): Graph {
  const needed = new Set<Value>(graph.outputs.map(({ value }) => value))
  const nodes = liveNodes(graph.nodes, needed)
  return { ...graph, nodes, known: new Map([...graph.known].filter(([value]) => needed.has(value))) }
}

/** The nodes that make something needed, in their order; adds to `needed` what they need themselves. */
function liveNodes(nodes: readonly Node[], needed: Set<Value>): Node[] {
  const kept: Node[] = []
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue
    for (const input of node.inputs) if (input) needed.add(input)
    if (node.body) needed.add(node.body.output)
    kept.push(node.body ? { ...node, body: { ...node.body, nodes: liveNodes(node.body.nodes, needed) } } : node)
  }
  return kept.reverse()
}
