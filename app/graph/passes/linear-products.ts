import { dims } from '#app/tensor/tensor.ts'
import { add, reshape } from '../functions.ts'
import type { Value } from '../graph.ts'
import { isLinear } from './linear.ts'
import type { Replace } from './replace-nodes.ts'

/** Fewer rows stay in the processor's cache as they are. */
const fewestRows = 1024
const [smallestBlock, bestBlock, largestBlock] = [128, 256, 640]

/**
 * Linear layers as products of arrays with any number of axes, which need no reshape before and after them
 * (sink-reshapes.ts). Those with thousands of rows go as batches of a few hundred: onnxruntime goes through all rows
 * for each small piece of the weight, so with many of them nothing is in the cache when it comes back to it: half the
 * speed at 8192 rows. The arithmetic is the same.
 */
export const linearProducts: Replace = (node, { view }) => {
  if (!isLinear(node)) return undefined
  const [x, weight, bias] = node.inputs as [Value, Value, Value?]
  const [rows, input] = dims(x, 2)
  const block = blockOf(rows)
  const times = (left: Value, right: Value): Value => x.builder.emit('FusedMatMul', [left, right], { transB: 1 })
  const product = (): Value => {
    if (block === undefined) return times(x, weight)
    // With more axes than the rows have, it counts as another batch, and the rows are not joined to one product again.
    const shape = [1, 1, ...weight.shape]
    const blocks = reshape(x, [rows / block, block, input])
    return reshape(times(blocks, view(weight, shape) ?? reshape(weight, shape)), [rows, weight.shape[0]!])
  }
  return () => [bias ? add(product(), bias) : product()]
}

/** The divisor of `rows` nearest to the best size, if one is near. */
function blockOf(rows: number): number | undefined {
  if (rows < fewestRows) return undefined
  const distance = (block: number): number => Math.abs(Math.log(block / bestBlock))
  let best: number | undefined
  for (let block = smallestBlock; block <= largestBlock; block++)
    if (rows % block === 0 && (best === undefined || distance(block) < distance(best))) best = block
  return best
}
