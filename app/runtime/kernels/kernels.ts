import type { Graph, Node } from '#app/graph/index.ts'
import type { Choose } from '#app/graph/targets.ts'
import { attention } from './attention.ts'
import { convolution } from './convolution.ts'
import { machineKey, readMeasurements, saveMeasurements, type Measurement } from './kernel-cache.ts'

/**
 * A kind of node that can be computed in several ways. The first kernel is the plainest, which errors are differences
 * to.
 */
export type KernelFamily<Shape, Kernel extends string> = {
  readonly kernels: readonly [Kernel, ...Kernel[]]
  /** The shape of a node of this kind, where it has a choice. */
  shapeOf(node: Node): Shape | undefined
  keyOf(shape: Shape): string
  flops(shape: Shape): number
  /** The kernel where nothing was measured. */
  byRule(shape: Shape): Kernel
  measure(shape: Shape, threads: number): Promise<Measurement>
}

/** Largest error of one layer, as a part of its largest output, that its kernel may bring. */
const errorBudget = 8e-6
/** A faster kernel must be faster by this much: measurements differ from one to the next, and the choice should not. */
const worthwhile = 0.9

/**
 * The kernel for each convolution and each attention: the fastest within the error budget where this machine has
 * measured it, else by rule. What is measured is kept in `file`; without one nothing is measured.
 */
export class Kernels {
  readonly #file: string | undefined
  #machine = ''
  #measured = new Map<string, Measurement>()

  constructor(file?: string) {
    this.#file = file
  }

  /**
   * The choice for this graph's nodes. Those not known yet are measured first, the most expensive ones first, as long
   * as the budget lasts; the rest follow the rule and are measured another time.
   */
  async choose(graph: Graph, threads: number, budgetMs: number): Promise<Choose> {
    if (this.#file !== undefined) {
      await this.#load(this.#file, threads)
      await this.#measure(
        this.#file,
        [...candidates(graph, convolution), ...candidates(graph, attention)],
        threads,
        budgetMs,
      )
    }
    return { convolution: this.#fastest(convolution), attention: this.#fastest(attention) }
  }

  async #load(file: string, threads: number): Promise<void> {
    const machine = machineKey(threads)
    if (machine === this.#machine) return
    this.#measured = await readMeasurements(file, machine)
    this.#machine = machine
  }

  async #measure(file: string, all: readonly Candidate[], threads: number, budgetMs: number): Promise<void> {
    const until = performance.now() + budgetMs
    const before = this.#measured.size
    for (const { key, onceMs, measure } of all.toSorted((a, b) => b.totalFlops - a.totalFlops)) {
      if (this.#measured.has(key) || performance.now() + 9 * onceMs > until) continue // three kernels, three runs
      this.#measured.set(key, await measure(threads))
    }
    if (this.#measured.size === before) return
    // a full disk must not cost the run
    await saveMeasurements(file, this.#machine, this.#measured).catch(() => undefined)
  }

  #fastest<Shape, Kernel extends string>(family: KernelFamily<Shape, Kernel>): (shape: Shape) => Kernel {
    return (shape) => {
      const measured = this.#measured.get(family.keyOf(shape))
      if (!measured) return family.byRule(shape)
      const ms = (kernel: Kernel): number => measured[kernel]?.ms ?? Infinity
      return family.kernels.reduce((best, kernel) =>
        (measured[kernel]?.error ?? Infinity) <= errorBudget && ms(kernel) < worthwhile * ms(best) ? kernel : best,
      )
    }
  }
}

type Candidate = {
  readonly key: string
  /** Of all nodes of this shape in the graph. */
  readonly totalFlops: number
  /** One run at 100 GFLOP/s. */
  readonly onceMs: number
  readonly measure: (threads: number) => Promise<Measurement>
}

/** The distinct shapes that have a choice. */
function candidates<Shape, Kernel extends string>(graph: Graph, family: KernelFamily<Shape, Kernel>): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const node of graph.nodes) {
    const shape = family.shapeOf(node)
    if (!shape) continue
    const [key, flops] = [family.keyOf(shape), family.flops(shape)]
    const totalFlops = (found.get(key)?.totalFlops ?? 0) + flops
    found.set(key, { key, totalFlops, onceMs: flops / 1e8, measure: (threads) => family.measure(shape, threads) })
  }
  return [...found.values()]
}
