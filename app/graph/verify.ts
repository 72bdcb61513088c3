import { sameShape, showShape, type Tensor } from '#app/tensor/tensor.ts'
import { checkNode, checkUse } from './check-node.ts'
import type { Graph, Node, Value } from './graph.ts'
import type { OpName } from './ops/ops.ts'

/** How far the compiler is with a graph: what is legal in it. */
export type Stage = {
  /** Operators that models do not build. */
  readonly adds: readonly OpName[]
  /** Nodes may yield float16; until then only weights are. */
  readonly halfPrecision?: boolean
  /** Shapes are values that come when the graph runs, so what a node yields cannot be inferred any more. */
  readonly lateShapes?: boolean
}
export const built: Stage = { adds: [] }
export const fast: Stage = { adds: ['FusedMatMul'] }
export const int8: Stage = { adds: ['DynamicQuantizeLinear', 'MatMulIntegerToFloat'] }
export const half: Stage = { adds: [], halfPrecision: true }
/** Weights are reshaped too then, so that float16 is everywhere. */
export const late = (before: Stage): Stage => ({ ...before, halfPrecision: true, lateShapes: true })

const notBuilt: ReadonlySet<OpName> = new Set([...fast.adds, ...int8.adds])

/** Nodes that were found right. They never change, and neither do the values that they read, so once is enough. */
const right = new WeakSet<Node>()

/** Says that a node was made with the outputs that `checkNode` tells. */
export const wasChecked = (node: Node): void => void right.add(node)

/**
 * Checks a whole graph: every node against the op table and what is legal at its stage, every input made before it is
 * used and only once, shapes as inferred where they still can be. Throws an Error that says when it was, such as after
 * which pass.
 */
export function verify(graph: Graph, when: string, stage = built): void {
  const made = new Set<Value>([...graph.inputs, ...graph.known.keys()])
  const constantOf = (value: Value): Tensor => {
    const known = graph.known.get(value)
    if (!known || !('constant' in known)) throw new Error(`${value.name} must be a constant`)
    return known.constant
  }
  const fail = (message: string): never => {
    throw new Error(`${graph.name}, ${when}: ${message}`)
  }
  const check = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      for (const input of node.inputs)
        if (input && !made.has(input)) fail(`${node.op} at ${node.path} uses ${input.name} before it is made`)
      if (node.body) {
        for (const slice of node.body.inputs) made.add(slice)
        check(node.body.nodes)
        if (!made.has(node.body.output)) fail(`the body of ${node.op} at ${node.path} never makes its output`)
      }
      if (notBuilt.has(node.op) && !stage.adds.includes(node.op)) fail(`${node.op} at ${node.path} is not legal here`)
      if (!right.has(node)) {
        if (stage.lateShapes) named(node, () => checkUse(node))
        else checkOutputs(node)
      }
      for (const output of node.outputs) {
        if (made.has(output)) fail(`${output.name} is made twice`)
        if (output.dtype === 'float16' && !stage.halfPrecision) fail(`${output.name} at ${node.path} is float16`)
        made.add(output)
      }
    }
  }
  const named = <T>(node: Node, checked: () => T): T => {
    try {
      return checked()
    } catch (cause) {
      throw new Error(`${graph.name}, ${when}: ${node.path}: ${(cause as Error).message}`, { cause })
    }
  }
  const checkOutputs = (node: Node): void => {
    const outlines = named(node, () => checkNode(node, constantOf))
    if (outlines.length !== node.outputs.length) fail(`${node.op} at ${node.path} has ${node.outputs.length} outputs`)
    node.outputs.forEach((output, i) => {
      const outline = outlines[i]!
      if (output.dtype !== outline.dtype || !sameShape(output.shape, outline.shape))
        fail(
          `${output.name} at ${node.path} is ${output.dtype} ${showShape(output.shape)}, inferred ${outline.dtype} ${showShape(outline.shape)}`,
        )
    })
    right.add(node)
  }
  check(graph.nodes)
  for (const { name, value } of graph.outputs) if (!made.has(value)) fail(`output ${name} is never made`)
}
