import type { Graph, Value } from '../graph.ts'
import type { Replace } from './replace-nodes.ts'
import { isWeight, weightViews } from './weight-views.ts'

/** Reshapes of weights become weights of that shape: scales and biases that layers bring to the shape of what they are added to. */
export function reshapedWeights(graph: Graph): Replace {
  const view = weightViews(graph)
  return ({ op, inputs, outputs }, { maker }) => {
    const [weight] = inputs as [Value]
    if (op !== 'Reshape' || weight.shape.length === 0 || !isWeight(weight, maker)) return undefined
    return () => [view(weight, maker, outputs[0]!.shape)!]
  }
}
