import type { Graph, Value } from '../graph.ts'
import { substitute } from './rewrite.ts'
import { weightViews } from './weight-views.ts'

/** Reshapes of weights become weights of that shape: scales and biases that layers bring to the shape of what they are added to. */
export function reshapedWeights(graph: Graph): Graph {
  const view = weightViews(graph)
  const replacement = new Map<Value, Value>()
  const nodes = graph.nodes.filter(({ op, inputs, outputs }) => {
    const [weight] = inputs as [Value]
    const known = op === 'Reshape' && weight.shape.length > 0 && graph.known.get(weight)
    if (!known || !('weight' in known)) return true
    replacement.set(outputs[0]!, view(weight, new Map(), outputs[0]!.shape)!)
    return false
  })
  if (replacement.size === 0) return graph
  const { builder } = graph.outputs[0]!.value
  return substitute({ ...graph, known: builder.known }, nodes, replacement)
}
