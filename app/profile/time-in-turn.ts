import type { Compute } from '#app/contract/compute.ts'
import type { Graph } from '#app/graph/index.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

export type Run = { readonly graph: Graph; readonly inputs: Readonly<Record<string, Tensor>> }

/** Until one of both is reached, and `fewest` at least. */
export type Rounds = { readonly fewest: number; readonly most: number; readonly enoughMs: number }

/** In one round, after the first run, which allocates. Where a run takes seconds that matters little: one is enough. */
const runsOfRound = 3
const slowMs = 3000

/**
 * Milliseconds of each of several graphs, measured in turn; the best of each counts: others may use the machine too.
 * One session is open at a time, so that this takes no more memory than the largest. `between` is called after each run
 * and may throw.
 */
export async function timeInTurn(
  sessions: SessionCache,
  runs: readonly Run[],
  compute: Compute,
  { fewest, most, enoughMs }: Rounds,
  between: () => void = () => {},
): Promise<number[]> {
  const best = runs.map(() => Infinity)
  const until = performance.now() + enoughMs
  for (let round = 0; round < fewest || (round < most && performance.now() < until); round++)
    for (const [i, run] of runs.entries()) best[i] = Math.min(best[i]!, await timeRun(sessions, run, compute, between))
  return best
}

async function timeRun(
  sessions: SessionCache,
  { graph, inputs }: Run,
  compute: Compute,
  between: () => void,
): Promise<number> {
  const session = await sessions.openApart(graph, compute)
  const time = async (): Promise<number> => {
    const began = performance.now()
    await session.run(inputs)
    const ms = performance.now() - began
    between()
    return ms
  }
  try {
    const first = await time()
    if (first > slowMs) return first
    let best = Infinity
    for (let run = 0; run < runsOfRound; run++) best = Math.min(best, await time())
    return best
  } finally {
    await session.release()
  }
}
