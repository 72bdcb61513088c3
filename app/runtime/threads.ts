import { arch, availableParallelism, cpus } from 'node:os'
import { z } from 'zod'
import { readJsonCache, writeJsonCache } from '#app/files/json-cache.ts'
import { GraphBuilder, slice, type Graph } from '#app/graph/index.ts'
import { normalValues } from './kernels/normal-values.ts'
import { openSession, type Session } from './session.ts'

/** A product's time with so many threads, and the part of these threads' time that the machine gave to them. */
export type ThreadPoint = { readonly threads: number; readonly ms: number; readonly share: number }

const rounds = 6
/** More threads have to be so much faster to be worth their processor time. */
const worthwhile = 0.95
/** Below this share others were at work, and what was measured says more about them. */
const undisturbed = 0.8

/** Half a gigaflop, in 300 rows as a frame of 16 x 16 latents has with its text: some 5 ms on one core. */
function product(): Graph {
  const [rows, inner, columns] = [300, 1024, 1024]
  const builder = new GraphBuilder('product')
  const x = builder.input('x', 'float32', [rows, inner])
  const weight = builder.input('weight', 'float32', [inner, columns])
  builder.output('y', slice(builder.emit('MatMul', [x, weight], {}), 0, 0, 1))
  return builder.finish()
}

/** The least time of a matrix product with each number of threads up to `most`, all in turn. */
export async function threadCurve(most = availableParallelism()): Promise<ThreadPoint[]> {
  const inputs = { x: normalValues([300, 1024], 1), weight: normalValues([1024, 1024], 2) }
  const points: ThreadPoint[] = []
  // One after the other: the threads of a session wait for work by turning, in the way of the next one's.
  for (let threads = 1; threads <= most; threads++) {
    const session = await openSession(product(), { threads, prepack: false })
    try {
      points.push({ threads, ...(await leastTime(session, inputs, threads)) })
    } finally {
      await session.release()
    }
  }
  return points
}

async function leastTime(
  session: Session,
  inputs: Parameters<Session['run']>[0],
  threads: number,
): Promise<Pick<ThreadPoint, 'ms' | 'share'>> {
  await session.run(inputs) // allocates
  let best = { ms: Infinity, share: 0 }
  for (let round = 0; round < rounds; round++) {
    const [begun, before] = [performance.now(), process.cpuUsage()]
    await session.run(inputs)
    const ms = performance.now() - begun
    const { user, system } = process.cpuUsage(before)
    if (ms < best.ms) best = { ms, share: (user + system) / 1000 / (ms * threads) }
  }
  return best
}

/**
 * The fewest threads that are as fast as any: mostly one for each core, since two on one core share its units, and slow
 * cores keep fast ones waiting. Undefined where others had the machine.
 */
export function fewestThreads(curve: readonly ThreadPoint[]): number | undefined {
  const least = Math.min(...curve.map(({ ms }) => ms))
  if (curve.some(({ share }) => share < undisturbed)) return undefined
  return curve.find(({ ms }) => ms * worthwhile <= least)?.threads
}

const cacheSchema = z.record(z.string(), z.int().min(1))

/**
 * How many threads models get where nobody says: all that this process may use (by affinity and its group's limit) on a
 * machine with up to two, else what was measured, once; `file` keeps it.
 */
export async function chosenThreads(file: string | undefined): Promise<number> {
  const most = availableParallelism()
  if (most <= 2 || file === undefined) return most
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${arch()}, ${most}`
  const kept = (await readJsonCache(file, cacheSchema))[machine]
  if (kept !== undefined) return kept
  const measured = fewestThreads(await threadCurve(most))
  if (measured !== undefined)
    await writeJsonCache(file, { ...(await readJsonCache(file, cacheSchema)), [machine]: measured })
  return measured ?? most
}
