import type { Graph } from '../graph.ts'
import { verify } from '../verify.ts'

export type Pass = { readonly name: string; readonly run: (graph: Graph) => Graph }

/** The graph after all passes, verified. Throws an Error that names the pass which broke it. */
export function runPasses(graph: Graph, passes: readonly Pass[]): Graph {
  try {
    const result = passes.reduce((current, { run }) => run(current), graph)
    verify(result, 'after its passes')
    return result
  } catch (error) {
    // Which one it was is looked for only now: to verify after each pass takes as long as the passes.
    verify(graph, 'before its passes')
    passes.reduce((current, { name, run }) => {
      const next = run(current)
      verify(next, `after "${name}"`)
      return next
    }, graph)
    throw error
  }
}
