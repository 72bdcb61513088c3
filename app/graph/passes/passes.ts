import type { Graph } from '../graph.ts'
import { dropDead } from './drop-dead.ts'
import { runPasses, type Pass } from './run-passes.ts'
import { shareCommon } from './share-common.ts'
import { sinkReshapes } from './sink-reshapes.ts'

/** In order; each file says its reason. */
export const passes: readonly Pass[] = [
  { name: 'sink reshapes', run: sinkReshapes },
  { name: 'share common work', run: shareCommon },
  { name: 'drop dead nodes', run: dropDead },
]

/** The graph after all passes, verified. */
export const optimize = (graph: Graph): Graph => runPasses(graph, passes)
