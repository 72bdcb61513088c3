import type { Graph, Node, Value } from '#app/graph/index.ts'

/**
 * The nodes of one layer as a graph of its own: what they read from elsewhere are its inputs, what others read of them its outputs.
 * Shapes, which are computed elsewhere, are computed in it.
 */
export function layerGraph(graph: Graph, isInside: (node: Node) => boolean): Graph {
  const maker = new Map<Value, Node>()
  for (const node of graph.nodes) for (const output of node.outputs) maker.set(output, node)
  const inside = new Set(graph.nodes.filter(isInside))
  // A shape comes of a factor that is always one, and that of the graph's first input.
  const addSources = (node: Node, all: boolean): void => {
    for (const value of readBy(node)) {
      const source = maker.get(value)
      if (!source || inside.has(source) || !(all || value.dtype === 'int64')) continue
      inside.add(source)
      addSources(source, true)
    }
  }
  for (const node of [...inside]) addSources(node, false)
  const nodes = graph.nodes.filter((node) => inside.has(node))

  const made = new Set(nodes.flatMap(({ outputs }) => outputs))
  const read = new Set(nodes.flatMap(readBy))
  const readElsewhere = new Set([
    ...graph.nodes.filter((node) => !inside.has(node)).flatMap(readBy),
    ...graph.outputs.map(({ value }) => value),
  ])
  const isInput = (value: Value): boolean => !made.has(value) && !graph.known.has(value)
  const outputs = nodes.filter(isInside).flatMap((node) => node.outputs.filter((output) => readElsewhere.has(output)))
  return {
    name: graph.name,
    nodes,
    known: new Map([...graph.known].filter(([value]) => read.has(value))),
    inputs: [...read].filter(isInput),
    outputs: outputs.map((value) => ({ name: value.name, value })),
  }
}

/** The same for layers that do the same work on tensors of the same shapes. */
export function signatureOf(graph: Graph): string {
  const numbers = new Map<Value, number>()
  const describe = (value: Value | null): unknown => {
    if (!value) return null
    const known = numbers.get(value)
    if (known !== undefined) return known
    numbers.set(value, numbers.size)
    return [value.dtype, value.shape]
  }
  const describeNode = (node: Node): unknown => [
    node.op,
    node.inputs.map(describe),
    node.attributes,
    node.outputs.map(describe),
    node.body && [node.body.inputs.map(describe), node.body.nodes.map(describeNode), describe(node.body.output)],
  ]
  return JSON.stringify(graph.nodes.map(describeNode))
}

function readBy(node: Node): Value[] {
  const inputs = node.inputs.filter((input) => input !== null)
  if (!node.body) return inputs
  const within = new Set([...node.body.inputs, ...node.body.nodes.flatMap(({ outputs }) => outputs)])
  return [...inputs, ...node.body.nodes.flatMap(readBy).filter((value) => !within.has(value))]
}
