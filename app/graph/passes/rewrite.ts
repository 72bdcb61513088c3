import type { Graph, Node, Value } from '../graph.ts'

/** The graph with `replacement` values put in the place of others, in every node and output. */
export function substitute(graph: Graph, nodes: readonly Node[], replacement: ReadonlyMap<Value, Value>): Graph {
  const now = (value: Value): Value => {
    let current = value
    for (let next = replacement.get(current); next; next = replacement.get(current)) current = next
    return current
  }
  // A node that stays as it is stays the same object: it was verified already.
  const within = (node: Node): Node => {
    if (!node.body && !node.inputs.some((input) => input && replacement.has(input))) return node
    return {
      ...node,
      inputs: node.inputs.map((input) => input && now(input)),
      ...(node.body && { body: { ...node.body, output: now(node.body.output), nodes: node.body.nodes.map(within) } }),
    }
  }
  return {
    ...graph,
    nodes: nodes.map(within),
    outputs: graph.outputs.map(({ name, value }) => ({ name, value: now(value) })),
  }
}
