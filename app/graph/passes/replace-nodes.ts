import type { Graph, Node, Value } from '../graph.ts'
import { dropDead } from './drop-dead.ts'
import { substitute } from './rewrite.ts'

/** The nodes of one level, a graph's or a body's: who makes a value, and how many inputs read it. */
export type Level = {
  readonly maker: ReadonlyMap<Value, Node>
  readonly readers: ReadonlyMap<Value, number>
}

/** What stands in the place of a node: `make` yields a value for each of its outputs. Undefined leaves it as it is. */
export type Replace = (node: Node, level: Level) => (() => readonly Value[]) | undefined

/**
 * The graph with some nodes replaced, those of bodies too, and with what they leave unused taken out. What is put in the place of a node is
 * up to those of `replacers` that come after the one that made it.
 */
export function replaceNodes(graph: Graph, ...replacers: readonly Replace[]): Graph {
  const { builder } = graph.outputs[0]!.value
  const replacement = new Map<Value, Value>()
  const inPlaceOf = (node: Node, level: ReturnType<typeof levelOf>, from: number): readonly Node[] => {
    for (const [i, replace] of replacers.entries()) {
      const make = i < from ? undefined : replace(node, level)
      if (!make) continue
      const { nodes, made } = builder.collect(node.path, make)
      node.outputs.forEach((output, k) => replacement.set(output, made[k]!))
      for (const added of nodes) for (const output of added.outputs) level.maker.set(output, added)
      return i + 1 < replacers.length ? nodes.flatMap((added) => inPlaceOf(added, level, i + 1)) : nodes
    }
    return [node]
  }
  const rewritten = (nodes: readonly Node[], results: readonly Value[]): Node[] => {
    const level = levelOf(nodes, results)
    return nodes
      .flatMap((node) => inPlaceOf(node, level, 0))
      .map((node) =>
        node.body ? { ...node, body: { ...node.body, nodes: rewritten(node.body.nodes, [node.body.output]) } } : node,
      )
  }
  const nodes = rewritten(
    graph.nodes,
    graph.outputs.map(({ value }) => value),
  )
  if (replacement.size === 0) return graph
  return dropDead(substitute({ ...graph, known: builder.known }, nodes, replacement))
}

function levelOf(
  nodes: readonly Node[],
  results: readonly Value[],
): { maker: Map<Value, Node>; readers: Map<Value, number> } {
  const maker = new Map<Value, Node>()
  const readers = new Map<Value, number>()
  const read = (value: Value | null): void => {
    if (value) readers.set(value, (readers.get(value) ?? 0) + 1)
  }
  const visit = (inner: readonly Node[]): void => {
    for (const node of inner) {
      node.inputs.forEach(read)
      if (node.body) {
        read(node.body.output)
        visit(node.body.nodes) // a body may read from outside
      }
    }
  }
  for (const node of nodes) for (const output of node.outputs) maker.set(output, node)
  visit(nodes)
  results.forEach(read)
  return { maker, readers }
}
