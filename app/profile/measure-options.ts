import type { Compute } from '#app/contract/compute.ts'
import type { Figures } from '#app/contract/profile.ts'
import type { ForwardChunking } from '#app/contract/settings.ts'
import type { Graph } from '#app/graph/index.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { compareLayers } from './compare-layers.ts'
import { formsOf, type Choice, type Form } from './forms.ts'
import type { Option } from './front.ts'
import { signatureOf } from './layer-graph.ts'
import type { ProfiledRun } from './run-profiled.ts'
import type { Subject } from './subject.ts'
import { unitAt, unitsOf, type Unit } from './units.ts'

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

/**
 * Times each way of computing each layer, on its own; layers that do the same work on tensors of the same shapes share
 * a figure. Memory is counted in the whole model. Yields the part that is done, 0 to 1. `between` is called between
 * runs and may throw.
 */
export async function* measureOptions(
  sessions: SessionCache,
  { model, call }: Subject,
  compute: Compute,
  usual: { readonly graph: Graph; readonly run: ProfiledRun; readonly milliseconds: number },
  between: () => void,
): AsyncGenerator<number, Options> {
  const map = model.attnProcessors
  const units = unitsOf(usual.graph, map).filter(
    ({ kind, path }) => kind === 'feed-forward' || map[`${path}.processor`],
  )
  const { attention, chunkings, elsewhere } = await formsOf(
    usual.graph,
    units,
    map,
    async (layers, forwardChunking) => {
      between()
      return (await model.lowered(call, compute, { processors: { default: null, layers }, forwardChunking })).graph
    },
  )
  const usualForm = (unit: Unit): Form => attention.get(unit)?.[0] ?? chunkings[0]!.forms.get(unit)!
  const forms = [
    ...attention,
    ...chunkings.flatMap((one) => [...one.forms].map(([unit, form]) => [unit, [form]] as const)),
  ]

  /** By the signature of the usual form, those of the others. */
  const pending = new Map<string, { usual: Graph; others: Map<string, Graph> }>()
  for (const [unit, ways] of forms) {
    const { layer } = usualForm(unit)
    const key = signatureOf(layer)
    const found = pending.get(key) ?? { usual: layer, others: new Map<string, Graph>() }
    pending.set(key, found)
    for (const way of ways) if (signatureOf(way.layer) !== key) found.others.set(signatureOf(way.layer), way.layer)
  }
  const all = [...pending.values()].reduce((sum, { others }) => sum + others.size, 0)
  let done = 0
  const ratios = new Map<string, number>()
  for (const [key, { usual, others }] of pending) {
    if (others.size === 0) continue
    yield done / all
    const found = await compareLayers(sessions, usual, [...others.values()], compute, between)
    for (const [i, other] of [...others.keys()].entries()) ratios.set(`${key} ${other}`, found[i]!)
    done += others.size
  }

  const { milliseconds, rest } = timesOf(usual.run, usual.milliseconds, unitAt(units))
  const optionOf = (unit: Unit, { choice, layer, peakBytes }: Form): Option<Choice> => {
    const ratio = ratios.get(`${signatureOf(usualForm(unit).layer)} ${signatureOf(layer)}`) ?? 1
    return { choice, milliseconds: (milliseconds.get(unit) ?? 0) * ratio, peakBytes }
  }
  return {
    chunkings: chunkings.map(({ chunking, forms }) => ({
      chunking,
      layers: units.map((unit) => (attention.get(unit) ?? [forms.get(unit)!]).map((form) => optionOf(unit, form))),
    })),
    rest: { milliseconds: rest, peakBytes: elsewhere },
    layers: units.length,
    shapes: pending.size,
  }
}

/** The time of each layer in the whole model's run, and of all else in a run that takes `total`. */
function timesOf(
  run: ProfiledRun,
  total: number,
  unitOf: (path: string) => Unit | undefined,
): { milliseconds: Map<Unit, number>; rest: number } {
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
