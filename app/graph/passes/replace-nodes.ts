import type { Graph, Node, Value } from '../graph.ts'
import { dropDead } from './drop-dead.ts'
import { substitute } from './rewrite.ts'
import { weightViews, type View } from './weight-views.ts'

/** The nodes of one level, a graph's or a body's: who makes a value, how many inputs read it, and views of weights. */
export type Level = {
  readonly maker: ReadonlyMap<Value, Node>
  readonly readers: ReadonlyMap<Value, number>
  readonly view: View
}

/** What stands in the place of a node: `make` yields a value for each of its outputs. Undefined leaves it as it is. */
export type Replace = (node: Node, level: Level) => (() => readonly Value[]) | undefined

/**
 * The graph with some nodes replaced, those of bodies too, and with what they leave unused taken out. Each node is for
 * the first of `replacers` that takes it, and what that puts in its place is for those behind it, so none meets its own
 * work again.
 */
export function replaceNodes(graph: Graph, replacers: readonly Replace[]): Graph {
  const { builder } = graph.outputs[0]!.value
  const viewsAt = weightViews(builder)
  const replacement = new Map<Value, Value>()
  const inPlaceOf = (node: Node, level: OpenLevel, [replace, ...behind]: readonly Replace[]): readonly Node[] => {
    if (!replace) return [node]
    const make = replace(node, level)
    if (!make) return inPlaceOf(node, level, behind)
    const { nodes, made } = builder.collect(node.path, make)
    node.outputs.forEach((output, k) => replacement.set(output, made[k]!))
    for (const added of nodes) for (const output of added.outputs) level.maker.set(output, added)
    return nodes.flatMap((added) => inPlaceOf(added, level, behind))
  }
  const rewritten = (nodes: readonly Node[], results: readonly Value[]): Node[] => {
    const level = levelOf(nodes, results, viewsAt)
    return nodes
      .flatMap((node) => inPlaceOf(node, level, replacers))
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

/** It grows as nodes are put in. */
type OpenLevel = Level & { readonly maker: Map<Value, Node> }

function levelOf(
  nodes: readonly Node[],
  results: readonly Value[],
  viewsAt: ReturnType<typeof weightViews>,
): OpenLevel {
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
  return { maker, readers, view: viewsAt(maker) }
}
