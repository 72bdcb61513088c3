import type { AttnProcessorMap } from '#app/contract/attn-processors.ts'
import type { Graph } from '#app/graph/index.ts'

/** A layer whose way of computing can be chosen, or that is worth a line of its own. */
export type Unit = { readonly path: string; readonly kind: 'attention' | 'feed-forward' }

/**
 * The layers of a graph in the order of their last nodes, since the first ones may wait at its front: those that have a
 * processor, others that hold attention, and feed-forward layers.
 */
export function unitsOf(graph: Graph, processors: AttnProcessorMap): Unit[] {
  const attention = new Set(Object.keys(processors).map((path) => path.replace(/\.processor$/, '')))
  const units = new Map<string, Unit>()
  const covered = (path: string): boolean => [...prefixes(path)].some((prefix) => attention.has(prefix))
  const add = (unit: Unit): void => {
    units.delete(unit.path)
    units.set(unit.path, unit)
  }
  for (const { op, path } of graph.nodes) {
    for (const prefix of prefixes(path)) if (attention.has(prefix)) add({ path: prefix, kind: 'attention' })
    // A model without a choice of processors: the operator stands with the projection of its queries, a part of the
    // layer.
    if (op === 'MultiHeadAttention' && !covered(path)) {
      const parent = path.split('.').slice(0, -1).join('.')
      add({ path: parent, kind: 'attention' })
    }
    const ff = /^(.*\.ff)(?:\.|$)/.exec(path)?.[1]
    if (ff !== undefined) add({ path: ff, kind: 'feed-forward' })
  }
  return [...units.values()]
}

/** The unit that a path lies in. */
export function unitAt(units: readonly Unit[]): (path: string) => Unit | undefined {
  const byPath = new Map(units.map((unit) => [unit.path, unit]))
  return (path) => {
    for (const prefix of prefixes(path)) {
      const found = byPath.get(prefix)
      if (found) return found
    }
    return undefined
  }
}

/**
 * `down_blocks.0`, `mid_block`, `transformer_blocks.3`, `encoder.layer.3`, `conv_in`; '' for what belongs to no layer.
 */
export const blockOf = (path: string): string =>
  path === 'shapes' ? '' : (/^(?:(?:timesformer\.)?encoder\.layer\.\d+|[^.]+\.\d+|[^.]*)/.exec(path)?.[0] ?? '')

function* prefixes(path: string): Generator<string> {
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) yield path.slice(0, end)
}
