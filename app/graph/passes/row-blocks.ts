import { add, reshape } from '../functions.ts'
import type { Graph, Value } from '../graph.ts'
import { isLinear } from './linear.ts'
import { replaceNodes } from './replace-nodes.ts'
import { weightViews } from './weight-views.ts'

/** Fewer rows stay in the processor's cache as they are. */
const fewestRows = 1024
const [smallestBlock, bestBlock, largestBlock] = [128, 256, 640]

/**
 * Products with thousands of rows as batches of a few hundred. onnxruntime goes through all rows for each small piece of the weight,
 * so with many of them nothing is in the cache when it comes back to it: half the speed at 8192 rows (docs/decisions.md). The
 * arithmetic is the same.
 */
export function rowBlocks(graph: Graph): Graph {
  const view = weightViews(graph)
  return replaceNodes(graph, (node, { maker }) => {
    if (!isLinear(node)) return undefined
    const [x, weight, bias] = node.inputs as [Value, Value, Value?]
    const [rows, input] = x.shape as [number, number]
    const block = blockOf(rows)
    if (block === undefined) return undefined
    return () => {
      // With more axes than the rows have, it counts as another batch, and the rows are not joined to one product again.
      const shape = [1, 1, ...weight.shape]
      const blocks = reshape(x, [rows / block, block, input])
      const operands = [blocks, view(weight, maker, shape) ?? reshape(weight, shape)]
      const product = reshape(x.builder.emit('FusedMatMul', operands, { transB: 1 }), [rows, weight.shape[0]!])
      return [bias ? add(product, bias) : product]
    }
  })
}

/** The divisor of `rows` nearest to the best size, if one is near. */
export function blockOf(rows: number): number | undefined {
  if (rows < fewestRows) return undefined
  const distance = (block: number): number => Math.abs(Math.log(block / bestBlock))
  let best: number | undefined
  for (let block = smallestBlock; block <= largestBlock; block++)
    if (rows % block === 0 && (best === undefined || distance(block) < distance(best))) best = block
  return best
}
