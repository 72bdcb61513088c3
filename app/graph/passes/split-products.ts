import { reshape } from '../functions.ts'
import type { Node, Value } from '../graph.ts'
import type { Level, Replace } from './replace-nodes.ts'
import { isWeight } from './weight-views.ts'
import { isLinear } from './linear.ts'

/**
 * A product whose result is cut into parts becomes a product for each part, over rows of the same weight: the cut would
 * copy the result, which is the largest tensor of a layer. So do query, key and value in one, whose weights would be
 * joined for it at each run, and a gated feed-forward layer.
 */
export const splitProducts: Replace = (node, level) => {
  const gemm = node.op === 'Split' ? productBehind(node, level) : undefined
  if (!gemm) return undefined
  const [x, weight, bias] = gemm.inputs as [Value, Value, Value?]
  const bounds: Range[] = []
  for (const output of node.outputs) {
    const begin = bounds.at(-1)?.[1] ?? 0
    bounds.push([begin, begin + output.shape.at(-1)!])
  }
  const rowsOf = (value: Value, range: Range): Value | undefined =>
    joinedPart(level, value, range) ?? level.view(value, value.shape.with(0, range[1] - range[0]), range)
  // Only a checkpoint's own weights have parts that cost nothing.
  const hasParts = (value: Value): boolean =>
    isWeight(value, level.maker) || bounds.every((range) => joinedPart(level, value, range))
  if (!hasParts(weight) || (bias && !hasParts(bias))) return undefined
  return () =>
    bounds.map((range, i) => {
      const operands = [x, rowsOf(weight, range)!, ...(bias ? [rowsOf(bias, range)!] : [])]
      return reshape(x.builder.emit('Gemm', operands, { transB: 1 }), node.outputs[i]!.shape)
    })
}

type Range = readonly [begin: number, end: number]

/** The value that is these rows, where several were joined. */
function joinedPart({ maker }: Level, value: Value, [begin, end]: Range): Value | undefined {
  const node = maker.get(value)
  if (node?.op !== 'Concat' || node.attributes['axis'] !== 0) return undefined
  let row = 0
  return node.inputs.find((part) => {
    const first = row
    row += part!.shape[0]!
    return first === begin && row === end
  })!
}

/** The product that is read by this cut alone, through reshapes that leave the last axis as it is. */
function productBehind({ inputs, attributes }: Node, { maker, readers }: Level): Node | undefined {
  let value = inputs[0]!
  const width = value.shape.at(-1)
  if (attributes['axis'] !== value.shape.length - 1) return undefined
  for (let node = maker.get(value); node && readers.get(value) === 1; node = maker.get(value)) {
    if (node.op === 'Gemm') return isLinear(node) ? node : undefined
    if (node.op !== 'Reshape' || node.inputs[0]!.shape.at(-1) !== width) return undefined
    value = node.inputs[0]!
  }
  return undefined
}
