import { cast } from '../functions.ts'
import type { Value } from '../graph.ts'
import type { Replace } from './replace-nodes.ts'
import { isWeight } from './weight-views.ts'

/** Rows of a weight in half precision are looked up first and widened then. */
export const narrowLookups: Replace = ({ op, inputs, attributes }, { maker }) => {
  const [table, indices] = inputs as [Value, Value]
  const widening = op === 'Gather' ? maker.get(table) : undefined
  if (widening?.op !== 'Cast' || !isWeight(table, maker)) return undefined
  const [narrow] = widening.inputs as [Value]
  return () => [cast(table.builder.emit('Gather', [narrow, indices], attributes), table.dtype)]
}
