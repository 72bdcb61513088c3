import type { Compute } from '#app/contract/compute.ts'
import type { Graph } from '#app/graph/index.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import type { Session } from '../session.ts'
import type { SessionCache } from '../session-cache.ts'

export type Run = { readonly graph: Graph; readonly inputs: Readonly<Record<string, Tensor>> }

/** Rounds after the first, which allocates and reads weights: until one of both is reached, and `fewest` at least. */
export type Rounds = { readonly fewest: number; readonly most: number; readonly enoughMs: number }

/**
 * Milliseconds of each of several graphs, run in turn; the best of each counts: others may use the machine too. `between` is called
 * after each run and may throw.
 */
export async function timeInTurn(
  sessions: SessionCache,
  runs: readonly Run[],
  compute: Compute,
  { fewest, most, enoughMs }: Rounds,
  between: () => void = () => {},
): Promise<number[]> {
  const opened: Session[] = []
  try {
    for (const { graph } of runs) opened.push(await sessions.openApart(graph, compute))
    const best = runs.map(() => Infinity)
    let until = Infinity
    for (let round = 0; round <= most && (round <= fewest || performance.now() < until); round++) {
      if (round === 1) until = performance.now() + enoughMs
      for (const [i, session] of opened.entries()) {
        const began = performance.now()
        await session.run(runs[i]!.inputs)
        if (round > 0) best[i] = Math.min(best[i]!, performance.now() - began)
        between()
      }
    }
    return best
  } finally {
    for (const session of opened) await session.release()
  }
}
