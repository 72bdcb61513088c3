import { freemem } from 'node:os'
import type { AttnProcessor, AttnProcessorMap } from '#app/contract/attn-processors.ts'
import type { ForwardChunking } from '#app/contract/settings.ts'
import type { Graph, Node } from '#app/graph/index.ts'
import { attentionCandidates, chunkingCandidates } from './candidates.ts'
import { layerGraphs } from './layer-graph.ts'
import { liveMemory } from './live-memory.ts'
import { unitAt, type Unit } from './units.ts'

/**
 * How one layer computes: a processor for attention, nothing for a feed-forward layer, which follows the whole model's
 * chunking.
 */
export type Choice = { readonly path: string; readonly processor: AttnProcessor | null }

/** One way to compute a layer: its graph, and what is in memory in the whole model while it runs. */
export type Form = { readonly choice: Choice; readonly layer: Graph; readonly peakBytes: number }

export type Forms = {
  /** Of each attention layer, the usual form first. */
  readonly attention: ReadonlyMap<Unit, readonly Form[]>
  /** Of each feed-forward layer, under each chunking that is worth trying; first without. */
  readonly chunkings: readonly { readonly chunking: ForwardChunking | null; readonly forms: ReadonlyMap<Unit, Form> }[]
  /** The most that is in memory while no such layer runs: no choice makes it less. */
  readonly elsewhere: number
}

/** The whole model with these processors and this chunking, in the form in which it runs. */
export type Lower = (processors: AttnProcessorMap, chunking: ForwardChunking | null) => Promise<Graph>

/** A way that takes not even this much less memory than the usual one is left out, unless it may be faster. */
const worthwhile = 0.95
/** Loops of more turns are slow, whatever they save. */
const mostTurns = 4096

/**
 * The ways to compute each layer that may be better than the usual one in time or memory. `usual` is the model as it
 * is. What takes less memory is left out where less is of no use: something else takes as much.
 */
export async function formsOf(
  usual: Graph,
  units: readonly Unit[],
  map: AttnProcessorMap,
  lower: Lower,
): Promise<Forms> {
  const unitOf = unitAt(units)
  const [usualProcessors, ...others] = attentionCandidates(map) as [AttnProcessorMap, ...AttnProcessorMap[]]
  const elsewhere = liveMemory(usual).reduce(
    (most, { node, bytes }) => (unitOf(node.path) ? most : Math.max(most, bytes)),
    0,
  )
  const formsIn = (graph: Graph, kind: Unit['kind'], processors = usualProcessors): Map<Unit, Form & Peaks> => {
    const peaks = peaksOf(graph, unitOf)
    const layers = layerGraphs(graph, unitOf)
    const formOf = (unit: Unit): Form & Peaks => ({
      choice: { path: unit.path, processor: processors[`${unit.path}.processor`] ?? null },
      layer: layers.get(unit)!,
      ...peaks.get(unit)!,
    })
    return new Map(units.filter((unit) => unit.kind === kind).map((unit) => [unit, formOf(unit)]))
  }

  const attention = new Map([...formsIn(usual, 'attention')].map(([unit, form]) => [unit, [form]]))
  for (const processors of attention.size === 0 ? [] : others)
    for (const [unit, form] of formsIn(await lower(processors, null), 'attention', processors)) {
      const forms = attention.get(unit)!
      const mostBytes = isSliced(form) ? worthwhile * forms[0]!.ownBytes : freemem() / 2
      if (form.ownBytes <= mostBytes && turnsOf(form.layer.nodes) <= mostTurns) forms.push(form)
    }

  const whole = formsIn(usual, 'feed-forward')
  const chunkings: { chunking: ForwardChunking | null; forms: Map<Unit, Form> }[] = [{ chunking: null, forms: whole }]
  const isEnough = (forms: ReadonlyMap<Unit, Form>): boolean =>
    [...forms.values()].every(({ peakBytes }) => peakBytes <= elsewhere)
  if (!isEnough(whole)) {
    // In chunks of 1 a layer's loop has as many turns as its axis is long.
    const sizes = async (dim: 0 | 1): Promise<number[]> =>
      [...formsIn(await lower(usualProcessors, { chunkSize: 1, dim }), 'feed-forward').values()].map(({ layer }) =>
        turnsOf(layer.nodes),
      )
    const done = new Set<number>()
    for (const chunking of chunkingCandidates([await sizes(0), await sizes(1)])) {
      if (done.has(chunking.dim)) continue
      const forms = formsIn(await lower(usualProcessors, chunking), 'feed-forward')
      chunkings.push({ chunking, forms })
      if (isEnough(forms)) done.add(chunking.dim)
    }
  }
  return {
    attention: new Map([...attention].map(([unit, forms]) => [unit, withoutNeedless(forms, elsewhere)])),
    chunkings,
    elsewhere,
  }
}

const isSliced = ({ choice: { processor } }: Form): boolean => processor !== null && 'slice_size' in processor

/** Without the slices for which larger ones, or none, are small enough. `forms` has the larger ones last. */
function withoutNeedless(forms: readonly Form[], enough: number): Form[] {
  const simpler = (i: number): Form[] => forms.filter((form, j) => !isSliced(form) || j > i)
  return forms.filter((form, i) => !isSliced(form) || simpler(i).every(({ peakBytes }) => peakBytes > enough))
}

type Peaks = { readonly peakBytes: number; readonly ownBytes: number }

function peaksOf(graph: Graph, unitOf: (path: string) => Unit | undefined): Map<Unit, Peaks> {
  const peaks = new Map<Unit, Peaks>()
  for (const live of liveMemory(graph)) {
    const unit = unitOf(live.node.path)
    if (!unit) continue
    const before = peaks.get(unit) ?? { peakBytes: 0, ownBytes: 0 }
    const own = [...live.made].reduce((sum, [{ path }, bytes]) => sum + (unitOf(path) === unit ? bytes : 0), 0)
    peaks.set(unit, { peakBytes: Math.max(before.peakBytes, live.bytes), ownBytes: Math.max(before.ownBytes, own) })
  }
  return peaks
}

/** Of the longest loop. */
const turnsOf = (nodes: readonly Node[]): number =>
  nodes.reduce((most, { op, inputs, attributes }) => {
    const [axis] = op === 'Scan' ? (attributes['scan_input_axes'] as readonly number[]) : []
    return axis === undefined ? most : Math.max(most, inputs[0]!.shape[axis]!)
  }, 0)
