import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { add, GraphBuilder, mul, reshape, type Graph } from '#app/graph/index.ts'
import { lateShapes } from '#app/graph/passes/late-shapes.ts'
import { explicitAttention, fusedAttention, slicedAttention } from '#app/models/blocks/attention-kernels.ts'
import { normalValues } from '#app/runtime/kernels/normal-values.ts'
import { openSession } from '#app/runtime/session.ts'
import { liveMemory } from './live-memory.ts'
import { peakOf } from './run-profiled.ts'

const floats = 4

describe('tensors that are alive', () => {
  it('are there from the node that makes them to the last that reads them', () => {
    const builder = new GraphBuilder('chain')
    const x = builder.input('x', 'float32', [10])
    const a = add(x, x)
    const b = mul(a, a)
    const c = add(reshape(a, [2, 5]), reshape(b, [2, 5])) // a is read once more, through a view that takes no memory
    builder.output('y', mul(c, c))
    const bytes = liveMemory(builder.finish()).map((live) => live.bytes / floats)
    expect(bytes).toEqual([10, 20, 20, 20, 30, 20, 20])
  })

  it('are those of one turn of a loop at a time, beside what it reads and makes', () => {
    const builder = new GraphBuilder('loop')
    const x = builder.input('x', 'float32', [4, 10])
    const input = add(x, x)
    // In one turn: 10 for the sum, over which the product is written; the last result has its place in the loop's own.
    builder.output(
      'y',
      builder.scan([input], 0, (slice) => add(mul(add(slice, slice), slice), slice)),
    )
    const loop = liveMemory(builder.finish()).find(({ node }) => node.op === 'Scan')
    expect(loop!.bytes / floats).toBe(40 + 40 + 10)
  })

  it('have views of theirs for a loop along another axis', () => {
    const builder = new GraphBuilder('turned')
    const x = builder.input('x', 'float32', [4, 10])
    builder.output(
      'y',
      builder.scan([add(x, x)], 1, (slice) => add(slice, slice)),
    )
    const loop = liveMemory(builder.finish()).find(({ node }) => node.op === 'Scan')
    expect(loop!.bytes / floats).toBe(40 + 40 + 40 + 40)
  })
})

/**
 * Attention with scores of 256 MiB, beside which all else that a process does is small; in the form in which graphs
 * run.
 */
function attention(kernel: typeof explicitAttention): Graph {
  const builder = new GraphBuilder('attention')
  const [query, key, value] = ['q', 'k', 'v'].map((name) => builder.input(name, 'float32', [4, 2048, 64])) as [
    ReturnType<GraphBuilder['input']>,
    ReturnType<GraphBuilder['input']>,
    ReturnType<GraphBuilder['input']>,
  ]
  builder.output('y', kernel(query, key, value, 4))
  return lateShapes(builder.finish())
}

describe.runIf(process.platform === 'linux')('beside what Linux counts for the process', () => {
  const status = (key: string): number =>
    Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024

  /** How much the anonymous memory grew at most while the graph ran (proc(5): clear_refs resets VmHWM). */
  async function growth(graph: Graph): Promise<number> {
    const inputs = Object.fromEntries(graph.inputs.map(({ name, shape }) => [name, normalValues(shape, 1)]))
    const session = await openSession(graph, { threads: 1, prepack: false })
    try {
      const before = status('RssAnon')
      writeFileSync('/proc/self/clear_refs', '5')
      await session.run(inputs)
      return status('VmHWM') - status('RssFile') - before
    } finally {
      await session.release()
    }
  }

  const kernels = { explicit: explicitAttention, sliced: slicedAttention(4), fused: fusedAttention }
  for (const [name, kernel] of Object.entries(kernels))
    it(`${name} attention takes about what is counted`, async () => {
      const graph = attention(kernel)
      const counted = peakOf(liveMemory(graph))
      const measured = await growth(graph)
      // The arena rounds up, and a process does other things too.
      expect(measured).toBeGreaterThan(0.8 * counted - 4 * 2 ** 20)
      expect(measured).toBeLessThan(1.25 * counted + 16 * 2 ** 20)
    })
})
