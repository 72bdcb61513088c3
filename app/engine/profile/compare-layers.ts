import type { Compute } from '#app/contract/compute.ts'
import type { Graph, Value } from '#app/graph/index.ts'
import { sizeOf, type Tensor } from '#app/tensor/tensor.ts'
import { normalValues } from '../kernels/normal-values.ts'
import type { SessionCache } from '../session-cache.ts'
import { timeInTurn, type Run } from './time-in-turn.ts'

const rounds = { fewest: 2, most: 4, enoughMs: 600 }

/** How long a layer takes in another form, as a multiple of its usual form. */
export async function compareLayers(
  sessions: SessionCache,
  usual: Graph,
  other: Graph,
  compute: Compute,
): Promise<number> {
  const [before, after] = await timeInTurn(sessions, [usual, other].map(withValues), compute, rounds)
  return after! / before!
}

const withValues = (graph: Graph): Run => ({
  graph,
  inputs: Object.fromEntries(graph.inputs.map((value) => [value.name, valuesFor(value)])),
})

function valuesFor({ dtype, shape, name }: Value): Tensor {
  switch (dtype) {
    case 'float32':
      return normalValues(shape, 1)
    case 'uint8':
      return { dtype, shape, data: new Uint8Array(sizeOf(shape)).fill(128) }
    default:
      throw new Error(`a layer reads ${name}, which is ${dtype}: there are no values to measure it with`)
  }
}
