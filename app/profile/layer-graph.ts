import type { Graph, Node, Value } from '#app/graph/index.ts'

/**
 * The nodes of each layer as a graph of its own, by what `layerOf` says of their paths: what they read from elsewhere
 * are its inputs, what others read of them its outputs. Shapes, which are computed elsewhere, are computed in it.
 */
export function layerGraphs<Layer>(
  graph: Graph,
  layerOf: (path: string) => Layer | undefined,
): ReadonlyMap<Layer, Graph> {
  const maker = new Map<Value, Node>()
  const readers = new Map<Value, Node[]>()
  const places = new Map<Node, number>()
  const layers = new Map<Layer, Node[]>()
  const add = <K>(map: Map<K, Node[]>, key: K, node: Node): unknown => map.get(key)?.push(node) ?? map.set(key, [node])
  for (const [place, node] of graph.nodes.entries()) {
    places.set(node, place)
    for (const output of node.outputs) maker.set(output, node)
    for (const value of readBy(node)) add(readers, value, node)
    const layer = layerOf(node.path)
    if (layer !== undefined) add(layers, layer, node)
  }
  const results = new Set(graph.outputs.map(({ value }) => value))

  const cutOut = (own: readonly Node[]): Graph => {
    const inside = new Set(own)
    // A shape comes of a factor that is always one, and that of the graph's first input.
    const addSources = (node: Node, all: boolean): void => {
      for (const value of readBy(node)) {
        const source = maker.get(value)
        if (!source || inside.has(source) || !(all || value.dtype === 'int64')) continue
        inside.add(source)
        addSources(source, true)
      }
    }
    for (const node of own) addSources(node, false)
    const nodes = [...inside].sort((a, b) => places.get(a)! - places.get(b)!)
    const made = new Set(nodes.flatMap(({ outputs }) => outputs))
    const read = [...new Set(nodes.flatMap(readBy))]
    const isReadElsewhere = (value: Value): boolean =>
      results.has(value) || !!readers.get(value)?.some((reader) => !inside.has(reader))
    return {
      name: graph.name,
      nodes,
      known: new Map(read.flatMap((value) => (graph.known.has(value) ? [[value, graph.known.get(value)!]] : []))),
      inputs: read.filter((value) => !made.has(value) && !graph.known.has(value)),
      outputs: own
        .flatMap((node) => node.outputs.filter(isReadElsewhere))
        .map((value) => ({ name: value.name, value })),
    }
  }
  return new Map([...layers].map(([layer, own]) => [layer, cutOut(own)]))
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
