import type { Value } from '../graph.ts'
import type { Replace } from './replace-nodes.ts'
import { isWeight } from './weight-views.ts'

/**
 * Reshapes of weights become weights of that shape: scales and biases that layers bring to the shape of what they are
 * added to.
 */
export const reshapedWeights: Replace = ({ op, inputs, outputs }, { maker, view }) => {
  const [weight] = inputs as [Value]
  if (op !== 'Reshape' || weight.shape.length === 0 || !isWeight(weight, maker)) return undefined
  return () => [view(weight, outputs[0]!.shape)!]
}
