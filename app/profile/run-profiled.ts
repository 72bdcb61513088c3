import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Compute } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { Graph, Node } from '#app/graph/index.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { liveMemory, type Live } from './live-memory.ts'
import { readNodeTimes, type RunTimes } from './node-times.ts'

/** A run of a graph: its time, that of each node, and what was in memory meanwhile. */
export type ProfiledRun = {
  readonly milliseconds: number
  readonly times: ReadonlyMap<Node, number>
  /** Time of nodes that onnxruntime added. */
  readonly otherMilliseconds: number
  readonly live: readonly Live[]
  readonly peakBytes: number
}

/**
 * The first run allocates and reads the weights, and does not count. Slow models are run once more, fast ones five
 * times.
 */
const mostRuns = 6
const enoughMs = 4000
/** onnxruntime writes a line for each operator of each turn of a loop, and drops what comes after a million. */
const mostEvents = 900_000

/**
 * Runs a graph in a session of its own. `between` is called after each run and may throw. Throws bad-input for loops of
 * too many turns.
 */
export async function runProfiled(
  sessions: SessionCache,
  graph: Graph,
  inputs: Readonly<Record<string, Tensor>>,
  compute: Compute,
  between: () => void,
): Promise<ProfiledRun> {
  const runs = Math.min(mostRuns, Math.floor(mostEvents / eventsOf(graph.nodes)))
  if (runs < 1)
    throw new ProblemError(
      'bad-input',
      'The chunks or slices are so small that there are too many to measure one by one: choose a larger size.',
      { field: 'forwardChunking' },
    )
  const folder = await mkdtemp(join(tmpdir(), 'frameloom-profile-'))
  try {
    const session = await sessions.openApart(graph, compute, join(folder, 'run'))
    try {
      const until = performance.now() + enoughMs
      for (let run = 0; run < runs && (run < 2 || performance.now() < until); run++) {
        await session.run(inputs)
        between()
      }
    } finally {
      await session.release() // which writes the file
    }
    const [file] = await readdir(folder)
    const times = await readNodeTimes(join(folder, file!))
    return toRun(graph, times.length > 1 ? times.slice(1) : times)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * The best time of each operator: others may use the machine too. What lies between operators is left out, since most
 * of it is the profile's own writing. All runs have the same order.
 */
function toRun(graph: Graph, runs: readonly RunTimes[]): ProfiledRun {
  const times = new Map<Node, number>()
  let otherMilliseconds = 0
  runs[0]!.forEach(({ index }, i) => {
    const best = Math.min(...runs.map((nodes) => nodes[i]!.milliseconds))
    const node = index === undefined ? undefined : graph.nodes[index]
    if (node) times.set(node, (times.get(node) ?? 0) + best)
    else otherMilliseconds += best
  })
  const milliseconds = sum([...times.values()]) + otherMilliseconds
  const live = liveMemory(graph, [...times.keys()])
  return { milliseconds, times, otherMilliseconds, live, peakBytes: peakOf(live) }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

export const peakOf = (live: readonly Live[]): number => live.reduce((most, { bytes }) => Math.max(most, bytes), 0)

/** Lines that one run writes. */
function eventsOf(nodes: readonly Node[]): number {
  return nodes.reduce((sum, { body, inputs, attributes }) => {
    const axis = (attributes['scan_input_axes'] as readonly number[] | undefined)?.[0] ?? 0
    return sum + 1 + (body ? inputs[0]!.shape[axis]! * eventsOf(body.nodes) : 0)
  }, 0)
}
