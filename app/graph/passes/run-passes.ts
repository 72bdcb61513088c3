import type { Graph } from '../graph.ts'
import { built, verify, type Stage } from '../verify.ts'

/** One step of the compiler. */
export type Pass = {
  readonly name: string
  readonly why: string
  /** Some wait for what the machine has to measure or to read first. */
  readonly run: (graph: Graph) => Graph | Promise<Graph>
  /** What is legal after it, where that is not what was legal before. */
  readonly legal?: Stage
}

type State = { readonly graph: Graph; readonly when: string; readonly stage: Stage }

/**
 * The graph after all passes, verified. Throws an Error that names the pass which broke it, or what a pass throws by
 * itself.
 */
export async function runPasses(graph: Graph, passes: readonly Pass[]): Promise<Graph> {
  let now: State = { graph, when: 'before its passes', stage: built }
  const states = [now]
  try {
    for (const { name, run, legal = now.stage } of passes) {
      if (legal.lateShapes) verify(now.graph, now.when, now.stage) // the last time that shapes can be inferred
      now = { graph: await run(now.graph), when: `after "${name}"`, stage: legal }
      states.push(now)
    }
    verify(now.graph, now.when, now.stage)
    return now.graph
  } catch (error) {
    // Which one it was is looked for only now: to verify after each pass takes as long as the passes.
    for (const state of states) verify(state.graph, state.when, state.stage)
    throw error
  }
}
