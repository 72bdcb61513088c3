import { dirname, join } from 'node:path'
import type { Compute } from '#app/contract/compute.ts'
import type { Graph } from '#app/graph/index.ts'
import { exactly } from '#app/graph/targets.ts'
import { HeldVectors } from './held-vectors.ts'
import { Kernels } from './kernels/kernels.ts'
import { readMemory } from './memory.ts'
import { bundledProviders, reference } from './providers/compute.ts'
import { lower } from './providers/lower.ts'
import { refusals, requireRight } from './providers/self-check.ts'
import type { OnQuantizing } from './quantize/quantize-cache.ts'
import { openSession, type Session } from './session.ts'
import type { SessionStats } from './stats.ts'
import { chosenThreads } from './threads.ts'

type Entry = {
  readonly label: string
  readonly compute: Compute
  readonly session: Session
  /** Weight ranges by where they lie, with their bytes: sessions of one model share them. */
  readonly weights: ReadonlyMap<string, number>
  /** Anonymous memory that came with opening it and its first run. */
  anonymousBytes: number
  lastUsed: number
}

/**
 * 8-bit weights are prepacked up to here: faster, by 1.7 times for a TimeSformer, at the price of a copy. Larger ones
 * stay pages of their file (docs/decisions/precision.md, "int8: what is in 8 bits, and how").
 */
const mostPrepackedBytes = 256 * 2 ** 20

/**
 * Each weight of each session is a mapping of its own, and Linux allows a process 65,530 of them (vm.max_map_count).
 */
const mostMappings = 40_000

/** Spent at most on measuring kernels when a graph is opened for the first time. */
const measuringMs = 2000

/**
 * The sessions that are open, the least recently used let go when they hold more than the budget. A session costs
 * little to open because weights stay mapped, so one is kept for each model, input shape and set of options.
 */
export class SessionCache {
  #budgetBytes = 8 * 1024 ** 3
  /** Null: as measured. */
  #threads: number | null = null
  #measuredThreads: Promise<number> | undefined
  #threadFile: string | undefined
  #compute = reference
  #prepack: boolean | undefined
  #mostMappings = mostMappings
  #kernels = new Kernels()
  readonly #vectors = new HeldVectors()
  readonly #entries = new Map<string, Entry>()
  #bytesMapped = 0
  #compilations = 0

  configure(to: {
    budgetBytes?: number | undefined
    /** Weights of all sessions together, each counted once for each session. */
    mostMappings?: number | undefined
    /** Null, and without it: as many as are of use (threads.ts). */
    threads?: number | null | undefined
    /** What models compute on that were not told otherwise. */
    compute?: Partial<Compute> | undefined
    /**
     * Where measured kernel choices are kept, and beside it the number of threads; without it they follow a rule.
     */
    kernelFile?: string | undefined
    /** Whether weights are copied into the layout that products like best; by precision and size without it. */
    prepack?: boolean | undefined
  }): void {
    const { budgetBytes, threads, compute, kernelFile, prepack } = to
    if (to.mostMappings !== undefined) this.#mostMappings = to.mostMappings
    if (prepack !== undefined) this.#prepack = prepack
    if (kernelFile !== undefined) {
      this.#kernels = new Kernels(kernelFile)
      this.#threadFile = join(dirname(kernelFile), 'threads.json')
    }
    if (budgetBytes !== undefined) this.#budgetBytes = budgetBytes
    if (threads !== undefined) this.#threads = threads
    if (compute !== undefined) this.#compute = { ...this.#compute, ...compute }
  }

  get compute(): Compute {
    return this.#compute
  }

  /**
   * The session under that key, opened from `graph()` if there is none. The key names all that the graph depends on but
   * `compute`.
   * Throws unsupported when the provider is missing or computes wrongly; and what `onQuantizing` throws, which then
   * stops it.
   */
  async open(
    modelKey: string,
    label: string,
    graph: () => Graph,
    { compute = this.#compute, onQuantizing }: { compute?: Compute; onQuantizing?: OnQuantizing | undefined } = {},
  ): Promise<Session> {
    const key = `${compute.provider} ${compute.precision}${compute.exact ? ' exact' : ''} ${modelKey}`
    const found = this.#entries.get(key)
    if (found) {
      found.lastUsed = Date.now()
      return found.session
    }
    const built = await this.lowered(graph(), compute, onQuantizing)
    const weights = weightRanges(built)
    this.#compilations++
    const live = this.#live()
    this.#bytesMapped += bytesOf(new Map([...weights].filter(([range]) => !live.has(range))))
    const before = readMemory().anonymousBytes
    const session = await this.#openSession(built, compute)
    const entry: Entry = {
      label: [
        label,
        ...(compute.precision === 'float32' ? [] : [compute.precision]),
        ...(compute.exact ? ['exact'] : []),
      ].join(', '),
      compute,
      session: this.#measured(key, session, before),
      weights,
      anonymousBytes: 0,
      lastUsed: Date.now(),
    }
    entry.anonymousBytes = Math.max(0, readMemory().anonymousBytes - before)
    this.#entries.set(key, entry)
    await this.#shrink(key)
    return entry.session
  }

  /**
   * The graph in the form in which it runs; for the processor the one that it is fastest with. Throws as `open` does.
   */
  async lowered(graph: Graph, compute: Compute, onQuantizing?: OnQuantizing): Promise<Graph> {
    await requireRight(compute)
    return lower(graph, compute, {
      holdVectors: (all) => this.#vectors.inGraph(all, (bytes) => (this.#bytesMapped += bytes)),
      choose: async (all) =>
        compute.exact ? exactly : this.#kernels.choose(all, await this.#threadCount(), measuringMs),
      onQuantizing,
    })
  }

  /**
   * A session for a lowered graph that is not kept: to measure with, its nodes too where `profileTo` says
   * (see session.ts).
   */
  openApart(lowered: Graph, compute: Compute, profileTo?: string): Promise<Session> {
    return this.#openSession(lowered, compute, profileTo)
  }

  /** How many threads a session gets. */
  #threadCount(): number | Promise<number> {
    return this.#threads ?? (this.#measuredThreads ??= chosenThreads(this.#threadFile))
  }

  async #openSession(lowered: Graph, { provider, precision }: Compute, profileTo?: string): Promise<Session> {
    const prepack = this.#prepack ?? (precision === 'int8' && bytesOf(weightRanges(lowered)) <= mostPrepackedBytes)
    return openSession(lowered, { threads: await this.#threadCount(), prepack, provider, profileTo })
  }

  /** The first run allocates what the graph works in, so memory is taken again after it. */
  #measured(key: string, session: Session, before: number): Session {
    let ran = false
    return {
      run: async (inputs) => {
        const outputs = await session.run(inputs)
        const entry = this.#entries.get(key)
        if (entry) {
          entry.lastUsed = Date.now()
          if (!ran) entry.anonymousBytes = Math.max(entry.anonymousBytes, readMemory().anonymousBytes - before)
        }
        ran = true
        return outputs
      },
      release: () => session.release(),
    }
  }

  #live(): Map<string, number> {
    return new Map([...this.#entries.values()].flatMap(({ weights }) => [...weights]))
  }

  #usedBytes(): number {
    const anonymous = [...this.#entries.values()].reduce((sum, entry) => sum + entry.anonymousBytes, 0)
    return anonymous + bytesOf(this.#live())
  }

  async #shrink(keep: string): Promise<void> {
    const oldest = [...this.#entries].filter(([key]) => key !== keep).sort(([, a], [, b]) => a.lastUsed - b.lastUsed)
    for (const [key, entry] of oldest) {
      const mappings = [...this.#entries.values()].reduce((sum, { weights }) => sum + weights.size, 0)
      if (this.#usedBytes() <= this.#budgetBytes && mappings <= this.#mostMappings) return
      this.#entries.delete(key)
      await entry.session.release()
    }
  }

  /** Lets go of the sessions whose model's key has this in it, such as a hash that stands for its weights. */
  async release(identity: string): Promise<void> {
    for (const [key, { session }] of [...this.#entries].filter(([key]) => key.includes(identity))) {
      this.#entries.delete(key)
      await session.release()
    }
  }

  /** Lets go of all sessions. */
  async close(): Promise<void> {
    const all = [...this.#entries.values()]
    this.#entries.clear()
    for (const { session } of all) await session.release()
  }

  #lastUsed(): Entry | undefined {
    return [...this.#entries.values()].sort((a, b) => b.lastUsed - a.lastUsed)[0]
  }

  stats(): SessionStats {
    return {
      provider: this.#lastUsed()?.compute.provider ?? this.#compute.provider,
      providers: bundledProviders(),
      refusals: refusals(),
      budgetBytes: this.#budgetBytes,
      usedBytes: this.#usedBytes(),
      sessions: [...this.#entries.values()].map(({ label, anonymousBytes, weights, lastUsed }) => ({
        label,
        bytes: anonymousBytes + bytesOf(weights),
        lastUsed,
      })),
      bytesMapped: this.#bytesMapped,
      compilations: this.#compilations,
    }
  }
}

function weightRanges(graph: Graph): Map<string, number> {
  const ranges = new Map<string, number>()
  for (const known of graph.known.values())
    if ('weight' in known && 'file' in known.weight.source) {
      const { file, offset, length } = known.weight.source
      ranges.set(`${file}:${offset}`, length)
    }
  return ranges
}

const bytesOf = (ranges: ReadonlyMap<string, number>): number =>
  [...ranges.values()].reduce((sum, bytes) => sum + bytes, 0)
