import type { Graph, Node, Value } from '#app/graph/index.ts'
import { bytesPerElement, sizeOf } from '#app/tensor/tensor.ts'
import { workspaceBytes } from './workspace.ts'

/** What is in memory while a node runs, in bytes. */
export type Live = {
  readonly node: Node
  /** All of it: tensors that are still needed, what the node makes, and what its kernel takes beside that. */
  readonly bytes: number
  /** Of that, by who made it: nodes of `graph.nodes`. */
  readonly made: ReadonlyMap<Node, number>
}

/**
 * The memory of a run beside weights and inputs, for each node in the order in which they run: a tensor is there from
 * the node that makes it to the last that reads it, as onnxruntime plans it without arena and pattern. Nodes that are
 * not in `order` are part of others: onnxruntime computed them ahead or fused them.
 */
export function liveMemory(graph: Graph, order: readonly Node[] = graph.nodes): Live[] {
  const storage = storageOf(graph.nodes, new Set(order), graph)
  const lastUse = new Map<Value, number>()
  order.forEach((node, step) => {
    for (const value of read(node)) for (const owner of storage(value)) lastUse.set(owner, step)
  })
  const results = new Set(graph.outputs.map(({ value }) => value))
  const held = new Map<Value, { node: Node; bytes: number }>()
  return order.map((node, step) => {
    for (const output of node.outputs)
      if (storage(output).includes(output) && !held.has(output)) held.set(output, { node, bytes: bytesOf(output) })
    const made = new Map<Node, number>()
    for (const { node: maker, bytes } of held.values()) made.set(maker, (made.get(maker) ?? 0) + bytes)
    const workspace = workspaceBytes(node) + (node.body ? bodyBytes(node, graph) : 0)
    made.set(node, (made.get(node) ?? 0) + workspace)
    for (const value of held.keys()) if ((lastUse.get(value) ?? -1) <= step && !results.has(value)) held.delete(value)
    return { node, bytes: [...made.values()].reduce((sum, bytes) => sum + bytes, 0), made }
  })
}

export const bytesOf = ({ shape, dtype }: Value): number => sizeOf(shape) * bytesPerElement[dtype]

/** Operators whose output is their input under another shape. */
const views: ReadonlySet<string> = new Set(['Reshape', 'Identity'])
/** Operators that onnxruntime lets write over their input, where it is not needed any more and the shapes are known. */
const inPlace: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Softmax', 'Sigmoid', 'Tanh', 'Erf', 'Gelu', 'QuickGelu', 'FastGelu'],
])

type Storage = (value: Value) => readonly Value[]

/**
 * The values whose memory a value lies in: itself, what it is a view of, or what a fused node reads; none for weights
 * and inputs.
 */
function storageOf(nodes: readonly Node[], ran: ReadonlySet<Node>, graph: Graph): Storage {
  const results = new Set(graph.outputs.map(({ value }) => value))
  const maker = new Map<Value, Node>()
  for (const node of nodes) for (const output of node.outputs) maker.set(output, node)
  const known = new Map<Value, readonly Value[]>()
  const storage = (value: Value): readonly Value[] => {
    const node = maker.get(value)
    if (!node) return []
    const found = known.get(value)
    if (found) return found
    const isView = views.has(node.op) && !results.has(value)
    const sources = isView ? node.inputs.slice(0, 1) : node.inputs
    const owners =
      ran.has(node) && !isView ? [value] : [...new Set(sources.flatMap((input) => (input ? storage(input) : [])))]
    known.set(value, owners)
    return owners
  }
  return storage
}

/** What a node reads, its body included. */
function read(node: Node): Value[] {
  const inputs = node.inputs.filter((input) => input !== null)
  return node.body ? [...inputs, ...node.body.nodes.flatMap(read), node.body.output] : inputs
}

/** The most that one turn of a loop holds: its shapes are known, so tensors are written over where that can be. */
function bodyBytes(loop: Node, graph: Graph): number {
  const { nodes, output } = loop.body!
  const storage = storageOf(nodes, new Set(nodes), { ...graph, outputs: [{ name: '', value: output }] })
  const lastUse = new Map<Value, number>([[output, nodes.length]])
  nodes.forEach((node, step) => {
    for (const value of read(node))
      for (const owner of storage(value)) lastUse.set(owner, Math.max(step, lastUse.get(owner) ?? 0))
  })
  const held = new Map<Value, number>()
  let most = 0
  nodes.forEach((node, step) => {
    const over = inPlace.has(node.op)
      ? node.inputs
          .flatMap((input) => (input ? storage(input) : []))
          .find(
            (owner) => held.has(owner) && lastUse.get(owner) === step && bytesOf(owner) === bytesOf(node.outputs[0]!),
          )
      : undefined
    if (over) held.delete(over)
    for (const value of node.outputs)
      // The result of a turn is written into its place in the loop's own output.
      if (value !== output && storage(value).includes(value)) held.set(value, bytesOf(value))
    const inside = workspaceBytes(node) + (node.body ? bodyBytes(node, graph) : 0)
    most = Math.max(
      most,
      [...held.values()].reduce((sum, bytes) => sum + bytes, inside),
    )
    for (const value of held.keys()) if ((lastUse.get(value) ?? -1) <= step) held.delete(value)
  })
  return most
}
