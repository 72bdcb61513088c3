import { expect, test } from 'vitest'
import { GraphBuilder } from '../builder.ts'
import { add } from '../functions.ts'
import type { Graph } from '../graph.ts'
import { runPasses } from './run-passes.ts'

function sum(): Graph {
  const builder = new GraphBuilder('sum')
  const x = builder.input('x', 'float32', [2])
  builder.output('y', add(add(x, x), x))
  return builder.finish()
}

const nothing = { name: 'nothing', run: (graph: Graph) => graph }

test('the pass that breaks a graph is named, also where a later one falls over it', () => {
  const breaks = { name: 'breaks', run: (graph: Graph) => ({ ...graph, nodes: graph.nodes.slice(1) }) }
  const falls = {
    name: 'falls',
    run: (graph: Graph) => {
      if (graph.nodes.length < 2) throw new TypeError('no node')
      return graph
    },
  }
  expect(runPasses(sum(), [nothing, falls]).nodes).toHaveLength(3)
  expect(() => runPasses(sum(), [nothing, breaks])).toThrow('after "breaks"')
  expect(() => runPasses(sum(), [breaks, falls])).toThrow('after "breaks"')
})

test('a node that a pass changes is checked again', () => {
  const grown = (graph: Graph): Graph => ({
    ...graph,
    nodes: graph.nodes.map((node, i) => (i ? node : { ...node, inputs: [...node.inputs, ...node.inputs] })),
  })
  expect(() => runPasses(sum(), [nothing, { name: 'grows', run: grown }])).toThrow(/after "grows".*|4 inputs/)
})
