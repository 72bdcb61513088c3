import type { Weight, WeightSource } from '#app/checkpoints/weights.ts'
import { cast } from '../functions.ts'
import { sizeOf, type Shape } from '#app/tensor/tensor.ts'
import type { GraphBuilder } from '../builder.ts'
import type { Node, Value } from '../graph.ts'

/**
 * Another view of a checkpoint's weight: some of its rows, or another shape of the same numbers. Nothing is copied for
 * it.
 */
export type View = (value: Value, shape: Shape, rows?: readonly [begin: number, end: number]) => Value | undefined

/** Views of a graph's weights, each made once. They are values of their own, because a value has one shape. */
export function weightViews(builder: GraphBuilder): (maker: ReadonlyMap<Value, Node>) => View {
  const made = new Map<string, Value>()
  const viewOf = (weight: Weight, path: string, shape: Shape, rows: readonly [number, number]): Value => {
    const name = `${weight.name}[${rows.join(':')}] ${shape.join('x')}`
    const known = made.get(name)
    if (known) return known
    const value = builder.weight({ name, dtype: weight.dtype, shape, source: rangeOf(weight, rows) }, path)
    made.set(name, value)
    return value
  }
  return (maker) => {
    const view: View = (value, shape, rows = [0, value.shape[0]!]) => {
      const known = builder.known.get(value)
      if (known && 'weight' in known) return viewOf(known.weight, value.path, shape, rows)
      const node = maker.get(value)
      if (node?.op !== 'Cast') return undefined
      const inner = view(node.inputs[0]!, shape, rows)
      return inner && cast(inner, value.dtype)
    }
    return view
  }
}

/** Whether a value is a checkpoint's weight, or one that is widened from half precision. */
export function isWeight(value: Value, maker: ReadonlyMap<Value, Node>): boolean {
  const known = value.builder.known.get(value)
  if (known) return 'weight' in known
  const node = maker.get(value)
  return node?.op === 'Cast' && isWeight(node.inputs[0]!, maker)
}

function rangeOf({ shape, source }: Weight, [begin, end]: readonly [number, number]): WeightSource {
  const bytes = 'file' in source ? source.length : source.bytes.length
  const row = bytes / shape[0]!
  if (sizeOf(shape) === 0 || !Number.isInteger(row)) throw new Error('a weight without rows has no part')
  return 'file' in source
    ? { file: source.file, offset: source.offset + begin * row, length: (end - begin) * row }
    : { bytes: source.bytes.subarray(begin * row, end * row) }
}
