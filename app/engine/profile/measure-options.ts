import { freemem } from 'node:os'
import type { AttnProcessor, AttnProcessorMap } from '#app/contract/attn-processors.ts'
import type { Compute } from '#app/contract/compute.ts'
import type { Figures } from '#app/contract/profile.ts'
import type { ForwardChunking } from '#app/contract/settings.ts'
import type { CompileOptions, Graph, Node } from '#app/graph/index.ts'
import type { SessionCache } from '../session-cache.ts'
import { attentionCandidates, chunkingCandidates } from './candidates.ts'
import { compareLayers } from './compare-layers.ts'
import type { Option } from './front.ts'
import { layerGraph, signatureOf } from './layer-graph.ts'
import { liveMemory, type Live } from './live-memory.ts'
import type { ProfiledRun } from './run-profiled.ts'
import type { Subject } from './subject.ts'
import { unitAt, unitsOf, type Unit } from './units.ts'

/** How one layer computes: a processor for attention, nothing for a feed-forward layer, which follows the whole model's chunking. */
export type Choice = { readonly path: string; readonly processor: AttnProcessor | null }

export type Options = {
  /** What may be chosen for each layer, under each chunking. */
  readonly chunkings: readonly {
    readonly chunking: ForwardChunking | null
    readonly layers: readonly (readonly Option<Choice>[])[]
  }[]
  /** What no choice changes. */
  readonly rest: Figures
  readonly layers: number
  /** How many of them differ in their work or its shape. */
  readonly shapes: number
}

/** The whole model with one way to compute all layers of a kind. */
type Variant = {
  readonly kind: Unit['kind']
  readonly processors: AttnProcessorMap
  readonly chunking: ForwardChunking | null
}

/** A way that takes not even this much less memory than the usual one is not measured, unless it may be faster. */
const worthwhile = 0.95
/** Loops of more turns are slow, whatever they save. */
const mostTurns = 4096

/**
 * Times each way of computing each layer, on its own; layers that do the same work on tensors of the same shapes share a figure. Memory
 * is counted in the whole model. Yields the part that is done, 0 to 1.
 */
export async function* measureOptions(
  sessions: SessionCache,
  { model, inputs, args }: Subject,
  compute: Compute,
  usual: { readonly graph: Graph; readonly run: ProfiledRun; readonly milliseconds: number },
): AsyncGenerator<number, Options> {
  const map = model.attnProcessors
  const units = unitsOf(usual.graph, map).filter(
    ({ kind, path }) => kind === 'feed-forward' || map[`${path}.processor`],
  )
  const unitOf = unitAt(units)
  const layerOf = (graph: Graph, unit: Unit): Graph => layerGraph(graph, ({ path }) => unitOf(path) === unit)
  const usualLayers = new Map(units.map((unit) => [unit, layerOf(usual.graph, unit)]))
  const usualPeaks = peaksOf(usual.graph, unitOf)
  const { milliseconds, rest } = timesOf(usual.run, usual.milliseconds, unitOf)
  const compare = comparer(sessions, compute)

  const [usualProcessors, ...others] = attentionCandidates(map)
  const choiceOf = ({ path }: Unit, processors: AttnProcessorMap): Choice => ({
    path,
    processor: processors[`${path}.processor`] ?? null,
  })
  const attention = new Map<Unit, Option<Choice>[]>()
  for (const unit of units)
    attention.set(unit, [
      {
        choice: choiceOf(unit, usualProcessors!),
        milliseconds: milliseconds.get(unit) ?? 0,
        peakBytes: usualPeaks.get(unit)!.peakBytes,
      },
    ])
  const chunked = new Map<ForwardChunking | null, Map<Unit, Option<Choice>[]>>([[null, attention]])

  const chunkings = chunkingCandidates(
    units.flatMap((unit) => (unit.kind === 'feed-forward' ? [usualLayers.get(unit)!] : [])),
  )
  const variants: Variant[] = [
    ...(Object.keys(map).length === 0 ? [] : others).map((processors): Variant => ({
      kind: 'attention',
      processors,
      chunking: null,
    })),
    ...chunkings.map((chunking): Variant => ({ kind: 'feed-forward', processors: usualProcessors!, chunking })),
  ]
  let done = 0
  for (const { kind, processors, chunking } of variants) {
    const options: Partial<CompileOptions> = {
      processors: { default: null, layers: processors },
      forwardChunking: chunking,
    }
    const { graph } = await model.lowered(inputs, args, compute, options)
    const peaks = peaksOf(graph, unitOf)
    const found = kind === 'attention' ? attention : new Map<Unit, Option<Choice>[]>()
    if (kind === 'feed-forward') chunked.set(chunking, found)
    for (const unit of units) {
      yield done++ / (variants.length * units.length)
      if (unit.kind !== kind) continue
      const layer = layerOf(graph, unit)
      const choice = choiceOf(unit, processors)
      const own = peaks.get(unit)!.ownBytes
      const mayBeFaster = choice.processor !== null && !('slice_size' in choice.processor)
      // There is one chunking for the whole model: a layer that it makes no smaller is cut all the same.
      const mostBytes =
        kind === 'feed-forward' ? Infinity : mayBeFaster ? freemem() / 2 : worthwhile * usualPeaks.get(unit)!.ownBytes
      if (own > mostBytes || turnsOf(layer.nodes) > mostTurns) continue
      const option = {
        choice,
        milliseconds: milliseconds.get(unit)! * (await compare(usualLayers.get(unit)!, layer)),
        peakBytes: peaks.get(unit)!.peakBytes,
      }
      found.set(unit, [...(found.get(unit) ?? []), option])
    }
  }
  return {
    chunkings: [...chunked].map(([chunking, feedForward]) => ({
      chunking,
      layers: units.map((unit) => (unit.kind === 'attention' ? attention : feedForward).get(unit) ?? []),
    })),
    rest: { milliseconds: rest, peakBytes: peakElsewhere(usual.graph, unitOf) },
    layers: units.length,
    shapes: new Set([...usualLayers.values()].map(signatureOf)).size,
  }
}

/** Compares each pair of layers once. */
function comparer(sessions: SessionCache, compute: Compute): (usual: Graph, other: Graph) => Promise<number> {
  const known = new Map<string, number>()
  return async (usual, other) => {
    const [a, b] = [signatureOf(usual), signatureOf(other)]
    if (a === b) return 1
    const key = `${a} ${b}`
    const ratio = known.get(key) ?? (await compareLayers(sessions, usual, other, compute))
    known.set(key, ratio)
    return ratio
  }
}

type UnitOf = (path: string) => Unit | undefined

/** The time of each layer in the whole model's run, and of all else in a run that takes `total`. */
function timesOf(run: ProfiledRun, total: number, unitOf: UnitOf): { milliseconds: Map<Unit, number>; rest: number } {
  const milliseconds = new Map<Unit, number>()
  let rest = total
  for (const [{ path }, ms] of run.times) {
    const unit = unitOf(path)
    if (!unit) continue
    milliseconds.set(unit, (milliseconds.get(unit) ?? 0) + ms)
    rest -= ms
  }
  return { milliseconds, rest: Math.max(0, rest) }
}

function peaksOf(graph: Graph, unitOf: UnitOf): Map<Unit, { peakBytes: number; ownBytes: number }> {
  const peaks = new Map<Unit, { peakBytes: number; ownBytes: number }>()
  for (const live of liveMemory(graph)) {
    const unit = unitOf(live.node.path)
    if (!unit) continue
    const before = peaks.get(unit) ?? { peakBytes: 0, ownBytes: 0 }
    const own = [...live.made].reduce((sum, [{ path }, bytes]) => sum + (unitOf(path) === unit ? bytes : 0), 0)
    peaks.set(unit, { peakBytes: Math.max(before.peakBytes, live.bytes), ownBytes: Math.max(before.ownBytes, own) })
  }
  return peaks
}

const peakElsewhere = (graph: Graph, unitOf: UnitOf): number =>
  liveMemory(graph).reduce((most, { node, bytes }: Live) => (unitOf(node.path) ? most : Math.max(most, bytes)), 0)

/** Of the longest loop. */
const turnsOf = (nodes: readonly Node[]): number =>
  nodes.reduce((most, { op, inputs, attributes }) => {
    const [axis] = op === 'Scan' ? (attributes['scan_input_axes'] as readonly number[]) : []
    return axis === undefined ? most : Math.max(most, inputs[0]!.shape[axis]!)
  }, 0)
