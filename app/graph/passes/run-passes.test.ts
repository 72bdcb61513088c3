import { expect, test } from 'vitest'
import { GraphBuilder } from '../builder.ts'
import { add, mul, reshape } from '../functions.ts'
import type { Graph } from '../graph.ts'
import { cpuFloat32Passes, exactly } from '../targets.ts'
import { late, fast } from '../verify.ts'
import { runPasses, type Pass } from './run-passes.ts'

function sum(): Graph {
  const builder = new GraphBuilder('sum')
  const x = builder.input('x', 'float32', [2])
  builder.output('y', add(add(x, x), x))
  return builder.finish()
}

const pass = (name: string, run: Pass['run']): Pass => ({ name, why: 'to test', run })
const nothing = pass('nothing', (graph) => graph)

test('the pass that breaks a graph is named, also where a later one falls over it', async () => {
  const breaks = pass('breaks', (graph) => ({ ...graph, nodes: graph.nodes.slice(1) }))
  const falls = pass('falls', (graph) => {
    if (graph.nodes.length < 2) throw new TypeError('no node')
    return graph
  })
  expect((await runPasses(sum(), [nothing, falls])).nodes).toHaveLength(3)
  await expect(runPasses(sum(), [nothing, breaks])).rejects.toThrow('after "breaks"')
  await expect(runPasses(sum(), [breaks, falls])).rejects.toThrow('after "breaks"')
})

test('what a pass throws over a graph that is right comes through, and no pass runs twice for it', async () => {
  let runs = 0
  const counted = pass('counted', (graph) => {
    runs++
    return graph
  })
  const stops = pass('stops', () => Promise.reject(new Error('stopped by the user')))
  await expect(runPasses(sum(), [counted, stops])).rejects.toThrow('stopped by the user')
  expect(runs).toBe(1)
})

test('a node that a pass changes is checked again', async () => {
  const grown = (graph: Graph): Graph => ({
    ...graph,
    nodes: graph.nodes.map((node, i) => (i ? node : { ...node, inputs: [...node.inputs, ...node.inputs] })),
  })
  await expect(runPasses(sum(), [nothing, pass('grows', grown)])).rejects.toThrow(/after "grows".*|4 inputs/)
})

test('an operator or a precision that no pass before it has made legal is refused', async () => {
  const early = pass('early', (graph) => {
    const [x] = graph.inputs as [Graph['inputs'][0]]
    const { nodes } = x.builder.collect('', () => x.builder.emit('DynamicQuantizeLinear', [x]))
    return { ...graph, nodes: [...nodes, ...graph.nodes] }
  })
  await expect(runPasses(sum(), [early])).rejects.toThrow(/after "early": DynamicQuantizeLinear .* is not legal/)
  const narrow = pass('narrow', (graph) => {
    const [x] = graph.inputs as [Graph['inputs'][0]]
    const { nodes } = x.builder.collect('', () => x.builder.emit('Cast', [x], { to: 'float16' }))
    return { ...graph, nodes: [...nodes, ...graph.nodes] }
  })
  await expect(runPasses(sum(), [narrow])).rejects.toThrow(/after "narrow": .* is float16/)
})

test('a fault in the last pass, after which no shape can be inferred, is found', async () => {
  const shaped = (): Graph => {
    const builder = new GraphBuilder('shaped')
    const x = builder.input('x', 'float32', [2, 3])
    const rows = reshape(builder.emit('Softmax', [reshape(x, [3, 2])], { axis: 1 }), [6])
    builder.output('y', mul(reshape(add(rows, rows), [2, 3]), x))
    return builder.finish()
  }
  const passes = cpuFloat32Passes({ holdVectors: (graph) => Promise.resolve(graph), choose: () => exactly })
  const whole = await runPasses(shaped(), passes)
  expect(whole.nodes.some(({ op, inputs }) => op === 'Reshape' && !whole.known.has(inputs[1]!))).toBe(true)

  const faults: Readonly<Record<string, (nodes: Graph['nodes']) => Graph['nodes']>> = {
    'before it is made': (nodes) => nodes.toReversed(),
    'is made twice': (nodes) => [...nodes, nodes.at(-1)!],
    'inputs, takes 2 to 2': (nodes) =>
      nodes.map((node) => (node.op === 'Reshape' ? { ...node, inputs: node.inputs.slice(0, 1) } : node)),
    'is never made': (nodes) => nodes.slice(0, -1),
  }
  for (const [message, fault] of Object.entries(faults)) {
    const broken = pass('broken late shapes', async (graph) => {
      const done = await passes.at(-1)!.run(graph)
      return { ...done, nodes: fault(done.nodes) }
    })
    const list = [...passes.slice(0, -1), { ...broken, legal: late(fast) }]
    await expect(runPasses(shaped(), list), message).rejects.toThrow(message)
    await expect(runPasses(shaped(), list), message).rejects.toThrow('after "broken late shapes"')
  }
})
