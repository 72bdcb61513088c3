import type { Graph } from '../graph.ts'
import { verify } from '../verify.ts'
import { dropDead } from './drop-dead.ts'
import { mergeReshapes } from './merge-reshapes.ts'
import { shareCommon } from './share-common.ts'

/** In order; each file says its reason. */
const passes: readonly { name: string; run: (graph: Graph) => Graph }[] = [
  { name: 'merge reshapes', run: mergeReshapes },
  { name: 'share common work', run: shareCommon },
  { name: 'drop dead nodes', run: dropDead },
]

/** The graph after all passes, verified before the first and after each. */
export function optimize(graph: Graph): Graph {
  verify(graph, 'as built')
  return passes.reduce((current, { name, run }) => {
    const next = run(current)
    verify(next, `after "${name}"`)
    return next
  }, graph)
}
