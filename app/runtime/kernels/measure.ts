import type { Graph } from '#app/graph/index.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { openSession, type Session } from '../session.ts'
import type { Measurement } from './kernel-cache.ts'

/** At least so many runs of each, and more of what is over sooner. */
const [fewestRounds, mostRounds, longEnoughMs] = [2, 8, 200]

/**
 * Runs graphs that compute the same output `y` of the same inputs, in turn, and takes the least processor time of each.
 * Others may use the machine too: time on the clock then says how long a kernel waited, and is kept for good. Errors
 * are differences to the first one's output.
 */
export async function measure(
  graphs: Readonly<Record<string, Graph>>,
  inputs: Readonly<Record<string, Tensor>>,
  threads: number,
): Promise<Measurement> {
  const sessions: Session[] = []
  try {
    for (const graph of Object.values(graphs)) sessions.push(await openSession(graph, { threads, prepack: false }))
    const best = sessions.map(() => Infinity)
    const sample: Float32Array[] = []
    const until = performance.now() + longEnoughMs * sessions.length
    for (let round = 0; round <= fewestRounds || (round <= mostRounds && performance.now() < until); round++)
      for (const [i, session] of sessions.entries()) {
        const before = process.cpuUsage()
        const { y } = await session.run(inputs)
        const { user, system } = process.cpuUsage(before)
        if (round > 0) best[i] = Math.min(best[i]!, (user + system) / 1000) // the first run allocates
        sample[i] = y!.data as Float32Array
      }
    const kernels = Object.keys(graphs)
    return Object.fromEntries(
      kernels.map((kernel, i) => [kernel, { ms: best[i]!, error: apart(sample[i]!, sample[0]!) }]),
    )
  } finally {
    for (const session of sessions) await session.release()
  }
}

function apart(actual: Float32Array, expected: Float32Array): number {
  let [worst, largest] = [0, 0]
  expected.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(value - actual[i]!))
    largest = Math.max(largest, Math.abs(value))
  })
  return worst / largest
}
