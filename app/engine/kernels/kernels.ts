import type { Graph } from '#app/graph/index.ts'
import { convShape, type ConvKernel, type ConvShape } from '#app/graph/passes/winograd.ts'
import { isCandidate, kernelByRule } from './conv-rule.ts'
import { machineKey, readMeasurements, saveMeasurements } from './kernel-cache.ts'
import { convKernels, measureConv, type ConvMeasurement } from './measure-conv.ts'

export type Choose = (shape: ConvShape) => ConvKernel

export const exactly: Choose = () => 'direct'

/** Largest error of one layer, as a part of its largest output, that its kernel may bring. */
const errorBudget = 8e-6
/** A faster kernel must be faster by this much: measurements differ from one to the next, and the choice should not. */
const worthwhile = 0.9

export const shapeKey = ({ batch, input, output, height, width }: ConvShape): string =>
  `conv3x3 ${batch}x${input}x${height}x${width} to ${output}`

/**
 * The kernel for each convolution: the fastest within the error budget where this machine has measured it, else by rule. What is
 * measured is kept in `file`; without one nothing is measured.
 */
export class Kernels {
  readonly #file: string | undefined
  #machine = ''
  #measured = new Map<string, ConvMeasurement>()

  constructor(file?: string) {
    this.#file = file
  }

  /**
   * The choice for this graph's convolutions. Those not known yet are measured first, the most expensive ones first, as long as the
   * budget lasts; the rest follow the rule and are measured another time.
   */
  async choose(graph: Graph, threads: number, budgetMs: number): Promise<Choose> {
    await this.#load(threads)
    if (this.#file !== undefined) await this.#measure(candidates(graph), threads, budgetMs)
    return (shape) => fastest(shape, this.#measured.get(shapeKey(shape)))
  }

  async #load(threads: number): Promise<void> {
    const machine = machineKey(threads)
    if (machine === this.#machine || this.#file === undefined) return
    this.#measured = await readMeasurements(this.#file, machine)
    this.#machine = machine
  }

  async #measure(shapes: readonly ConvShape[], threads: number, budgetMs: number): Promise<void> {
    const until = performance.now() + budgetMs
    const before = this.#measured.size
    for (const shape of shapes) {
      const key = shapeKey(shape)
      if (this.#measured.has(key) || performance.now() + expectedMs(shape) > until) continue
      this.#measured.set(key, await measureConv(shape, threads))
    }
    if (this.#measured.size === before) return
    await saveMeasurements(this.#file!, this.#machine, this.#measured).catch(() => undefined) // a full disk must not cost the run
  }
}

/** What a measurement takes at 100 GFLOP/s: some six runs of the direct convolution. */
const expectedMs = (shape: ConvShape): number => (6 * flops(shape)) / 1e8

const flops = ({ batch, input, output, height, width }: ConvShape): number =>
  18 * batch * input * output * height * width

function fastest(shape: ConvShape, measured: ConvMeasurement | undefined): ConvKernel {
  if (!measured) return kernelByRule(shape)
  return convKernels.reduce<ConvKernel>(
    (best, kernel) =>
      measured[kernel].error <= errorBudget && measured[kernel].ms < worthwhile * measured[best].ms ? kernel : best,
    'direct',
  )
}

/** The distinct shapes that have a choice, by the work that they make up in this graph, the most first. */
function candidates(graph: Graph): ConvShape[] {
  const work = new Map<string, { shape: ConvShape; cost: number }>()
  for (const node of graph.nodes) {
    const shape = convShape(node)
    if (!shape || !isCandidate(shape)) continue
    const found = work.get(shapeKey(shape)) ?? { shape, cost: 0 }
    work.set(shapeKey(shape), { shape, cost: found.cost + flops(shape) })
  }
  return [...work.values()].sort((a, b) => b.cost - a.cost).map(({ shape }) => shape)
}
