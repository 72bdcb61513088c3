import { sameShape, showShape, type Tensor } from '#app/tensor/tensor.ts'
import { checkNode } from './check-node.ts'
import type { Graph, Node, Value } from './graph.ts'

/** Nodes that were found right. They never change, and neither do the values that they read, so once is enough. */
const right = new WeakSet<Node>()

/** Says that a node was made with the outputs that `checkNode` tells. */
export const wasChecked = (node: Node): void => void right.add(node)

/**
 * Checks a whole graph: every node against the op table, every input made before it is used and only once, shapes as inferred.
 * Run before and after the passes, so that a pass which breaks a graph is named. Throws an Error with `stage` in it.
 */
export function verify(graph: Graph, stage: string): void {
  const made = new Set<Value>([...graph.inputs, ...graph.known.keys()])
  const constantOf = (value: Value): Tensor => {
    const known = graph.known.get(value)
    if (!known || !('constant' in known)) throw new Error(`${value.name} must be a constant`)
    return known.constant
  }
  const fail = (message: string): never => {
    throw new Error(`${graph.name}, ${stage}: ${message}`)
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
      if (!right.has(node)) checkOutputs(node)
      for (const output of node.outputs) {
        if (made.has(output)) fail(`${output.name} is made twice`)
        made.add(output)
      }
    }
  }
  const checkOutputs = (node: Node): void => {
    const outlines = checkNode(node, constantOf)
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
