import type { Compute } from '#app/contract/compute.ts'
import type { Graph, Value } from '#app/graph/index.ts'
import { sizeOf, type Tensor } from '#app/tensor/tensor.ts'
import { normalValues } from '#app/runtime/kernels/normal-values.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { timeInTurn, type Run } from './time-in-turn.ts'

const rounds = { fewest: 2, most: 4 }
const enoughMsEach = 300

/**
 * How long a layer takes in other forms, as multiples of its usual form. `between` is called after each run and may
 * throw.
 */
export async function compareLayers(
  sessions: SessionCache,
  usual: Graph,
  others: readonly Graph[],
  compute: Compute,
  between: () => void,
): Promise<number[]> {
  const runs = [usual, ...others].map(withValues)
  const until = { ...rounds, enoughMs: enoughMsEach * runs.length }
  const [before, ...after] = await timeInTurn(sessions, runs, compute, until, between)
  return after.map((milliseconds) => milliseconds / before!)
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
