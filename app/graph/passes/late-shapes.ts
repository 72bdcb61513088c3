import { mul, split } from '../functions.ts'
import type { Graph, Known, Node, Value } from '../graph.ts'
import { alwaysOne } from './always-one.ts'

/**
 * Reshapes by shapes that are known only when the graph runs. Where onnxruntime knows the shapes ahead, it lets a
 * tensor take the place of an earlier one of the same shape, and keeps that place until then: the feed-forward layers
 * of a UNet's first level hold their memory until the last level needs it. Without, each tensor is freed after its last
 * use: 1.0 GB in place of 1.8 for the motion UNet, and 4 % faster (docs/decisions/memory.md, "Shapes that are known
 * late"). It also opens such a graph sooner: it compares each tensor whose shape it knows with all that were freed
 * before it. The last pass, because shapes cannot be inferred after it.
 */
export function lateShapes(graph: Graph): Graph {
  const [input] = graph.inputs
  if (!input) return graph
  const unknown = withoutGivenShapes(graph)
  const { builder } = input
  const isLate = ({ op, inputs }: Node): boolean => op === 'Reshape' && builder.known.has(inputs[1]!)
  const targets = [...new Set(unknown.filter(isLate).map(({ inputs }) => inputs[1]!))]
  if (targets.length === 0) return graph

  // Also the number of axes is to be unknown, so the shapes are parts of one vector, of lengths that are known late.
  const lengths = targets.map(({ shape }) => shape[0]!)
  const counted = builder.collect('shapes', () => mul(builder.integers(lengths), alwaysOne(input)))
  const all = builder.integers(targets.flatMap((target) => integersOf(builder.known.get(target)!)))
  const cut = builder.collect('shapes', () => split(all, lengths, 0)).nodes[0]!
  const first: Node[] = [...counted.nodes, { ...cut, inputs: [all, counted.made] }]

  const late = new Map(targets.map((target, i) => [target, cut.outputs[i]!]))
  const nodes = unknown.map((node): Node =>
    isLate(node) ? { ...node, inputs: [node.inputs[0]!, late.get(node.inputs[1]!)!] } : node,
  )
  // Of what the builder knows only what is used here: the rest was dropped by earlier passes.
  const used = new Set(first.flatMap(({ inputs }) => inputs))
  const added = [...builder.known].filter(([value]) => used.has(value))
  return { ...graph, nodes: [...first, ...nodes], known: new Map([...graph.known, ...added]) }
}

/**
 * The nodes with what has a shape from the start, inputs and weights, reshaped to what it is where a node reads nothing
 * else. Those nodes, such as casts of weights in half precision, come first: of what a node needs onnxruntime computes
 * what was added last before the rest, and would widen the weights of all layers before the first one runs
 * (docs/decisions/memory.md, "What was added last is computed first").
 */
function withoutGivenShapes({ nodes, inputs, known }: Graph): Node[] {
  const given = new Set<Value | null>([...inputs, ...known.keys(), null])
  const reshaped = new Map<Value, { readonly nodes: readonly Node[]; readonly made: Value }>()
  const [early, rest]: [Node[], Node[]] = [[], []]
  for (const node of nodes) {
    const [first, ...others] = node.inputs as [Value, ...Value[]]
    const isOfGiven = node.op !== 'Reshape' && !node.body && node.inputs.every((value) => given.has(value))
    if (!isOfGiven || first.shape.length === 0) {
      rest.push(node)
      continue
    }
    const { builder } = first
    const emit = (): Value => builder.emit('Reshape', [first, builder.integers(first.shape)])
    const made = reshaped.get(first) ?? builder.collect('shapes', emit)
    reshaped.set(first, made)
    early.push({ ...node, inputs: [made.made, ...others] })
  }
  return [...[...reshaped.values()].flatMap((made) => made.nodes), ...early, ...rest]
}

/** The entries of a constant shape. */
function integersOf(known: Known): number[] {
  if (!('constant' in known)) throw new Error('a shape is no weight')
  return Array.from(known.constant.data as BigInt64Array, Number)
}
