import type { Graph, Node, Value } from '../graph.ts'

/** A reshape of a reshape reads the first one's input: layers reshape to matrices and back, so most come in pairs. */
export function mergeReshapes(graph: Graph): Graph {
  const source = new Map<Value, Value>()
  const nodes = graph.nodes.map((node): Node => {
    if (node.op !== 'Reshape') return node
    const [input, target] = node.inputs as [Value, Value]
    const origin = source.get(input) ?? input
    source.set(node.outputs[0]!, origin)
    return origin === input ? node : { ...node, inputs: [origin, target] }
  })
  return { ...graph, nodes }
}
