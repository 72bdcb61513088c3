import { describe, expect, it } from 'vitest'
import { concat, GraphBuilder, split, mul, reshape, gelu, runPasses, type Graph, type Value } from '#app/graph/index.ts'
import { lateShapes } from '#app/graph/passes/late-shapes.ts'
import type { ConvKernel } from '#app/graph/passes/winograd.ts'
import { exactly, fastPasses } from '#app/graph/targets.ts'
import { float32ToFloat16 } from '#app/tensor/half.ts'
import type { Shape, Tensor } from '#app/tensor/tensor.ts'
import { runProfiled } from '#app/profile/run-profiled.ts'
import { openSession } from '../session.ts'
import { SessionCache } from '../session-cache.ts'
import { normalValues as noise } from './normal-values.ts'

function weight(builder: GraphBuilder, name: string, shape: Shape, seed: number): Value {
  const { data } = noise(shape, seed)
  return builder.weight(
    { name, dtype: 'float32', shape, source: { bytes: new Uint8Array(data.buffer.slice(0)) } },
    name,
  )
}

async function run(graph: Graph, inputs: Record<string, Tensor>): Promise<Float32Array> {
  const session = await openSession(graph, { threads: 1, prepack: false })
  try {
    return (await session.run(inputs)).y!.data as Float32Array
  } finally {
    await session.release()
  }
}

/** The largest difference that the fast forms make, as a part of the largest value. */
async function apart(build: () => Graph, inputs: Record<string, Tensor>, kernel: ConvKernel): Promise<number> {
  const expected = await run(build(), inputs)
  const actual = await run(await fast(build(), kernel), inputs)
  expect(actual.length).toBe(expected.length)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i]!)), 0) / largest
}

const fast = (graph: Graph, kernel: ConvKernel): Promise<Graph> =>
  runPasses(
    graph,
    fastPasses(() => ({ ...exactly, convolution: () => kernel })),
  )

const ops = (graph: Graph): string[] => graph.nodes.map(({ op }) => op)

function convolution([n, c, h, w]: readonly [number, number, number, number], out: number, pad: number): Graph {
  const builder = new GraphBuilder('convolution')
  const x = builder.input('x', 'float32', [n, c, h, w])
  const operands = [x, weight(builder, 'weight', [out, c, 3, 3], 2), weight(builder, 'bias', [out], 3)]
  const attributes = { kernel_shape: [3, 3], pads: [pad, pad, pad, pad], strides: [1, 1] }
  builder.output('y', builder.emit('Conv', operands, attributes))
  return builder.finish()
}

describe('convolutions by Winograd', () => {
  const shapes = [
    { name: 'whole tiles', x: [2, 16, 8, 8], out: 12, pad: 1 },
    { name: 'odd sides', x: [3, 7, 9, 13], out: 5, pad: 1 },
    { name: 'smaller than a tile', x: [1, 4, 3, 1], out: 4, pad: 1 },
    { name: 'no padding', x: [2, 8, 11, 10], out: 6, pad: 0 },
    { name: 'more tiles than are held at a time', x: [2, 96, 96, 96], out: 8, pad: 1 },
  ] as const
  for (const { name, x, out, pad } of shapes)
    for (const [kernel, limit] of [
      ['winograd2', 2e-6],
      ['winograd4', 8e-6],
    ] as const)
      it(`${kernel} agrees with the direct sum: ${name}`, async () => {
        const build = (): Graph => convolution(x, out, pad)
        expect(ops(await fast(build(), kernel))).not.toContain('Conv')
        expect(await apart(build, { x: noise(x, 1) }, kernel)).toBeLessThan(limit)
      })

  it('transforms the weights of a layer only when it comes to it', async () => {
    const builder = new GraphBuilder('layers')
    let x = builder.input('x', 'float32', [1, 8, 12, 12])
    for (const name of ['a', 'b', 'c']) {
      const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] }
      x = builder.emit('Conv', [x, weight(builder, name, [8, 8, 3, 3], 2)], attributes)
    }
    builder.output('y', x)
    const graph = lateShapes(await fast(builder.finish(), 'winograd4'))
    const sessions = new SessionCache()
    const { times } = await runProfiled(
      sessions,
      graph,
      { x: noise([1, 8, 12, 12], 1) },
      sessions.compute,
      () => undefined,
    )
    const layers = [...times.keys()].filter(({ op }) => op === 'FusedMatMul').map(({ path }) => path)
    expect(layers).toEqual(['a', 'a', 'b', 'b', 'c', 'c'])
  })

  it('widens weights in half precision only when it comes to their layer', async () => {
    const builder = new GraphBuilder('layers')
    let x = builder.input('x', 'float32', [4, 8])
    for (const name of ['a', 'b', 'c']) {
      const bytes = new Uint8Array(float32ToFloat16(noise([8, 8], 3).data).buffer)
      const half = builder.weight({ name, dtype: 'float16', shape: [8, 8], source: { bytes } }, name)
      x = gelu(builder.emit('Gemm', [x, builder.emit('Cast', [half], { to: 'float32' })], { transB: 1 }))
    }
    builder.output('y', x)
    const sessions = new SessionCache()
    const graph = await sessions.lowered(builder.finish(), sessions.compute)
    const { times } = await runProfiled(sessions, graph, { x: noise([4, 8], 1) }, sessions.compute, () => undefined)
    const layers = [...times.keys()].filter(({ op }) => op === 'Cast' || op === 'FusedMatMul')
    expect(layers.map(({ path, op }) => `${path} ${op}`)).toEqual(
      ['a', 'b', 'c'].flatMap((name) => [`${name} Cast`, `${name} FusedMatMul`]),
    )
  })

  it('leaves other convolutions as they are, and all of them where the choice is the direct sum', async () => {
    const strided = new GraphBuilder('strided')
    const x = strided.input('x', 'float32', [1, 4, 8, 8])
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] }
    strided.output('y', strided.emit('Conv', [x, weight(strided, 'w', [4, 4, 3, 3], 1)], attributes))
    expect(ops(await fast(strided.finish(), 'winograd4'))).toContain('Conv')
    expect(ops(await fast(convolution([2, 16, 8, 8], 12, 1), 'direct'))).toEqual(['Conv', 'Identity'])
  })
})

describe('products', () => {
  const gated = (rows: number, chunks: number): Graph => {
    const builder = new GraphBuilder('gated')
    const x = builder.input('x', 'float32', [rows, 24])
    const [w, b] = [weight(builder, 'w', [32, 24], 2), weight(builder, 'b', [32], 3)]
    const layer = (part: Value): Value => {
      const product = builder.emit('Gemm', [reshape(part, [-1, 24]), w, b], { transB: 1 })
      const [hidden, gate] = split(reshape(product, [part.shape[0]!, 1, 32]), [16, 16], -1) as [Value, Value]
      return reshape(mul(hidden, gelu(gate)), [part.shape[0]!, 16])
    }
    const parts = reshape(x, [chunks, rows / chunks, 24])
    builder.output('y', chunks === 1 ? layer(x) : builder.scan([parts], 0, (part) => layer(part)))
    return builder.finish()
  }

  it('are made in parts where their result is cut, over ranges of the same weight', async () => {
    const graph = await fast(gated(6, 1), 'direct')
    expect(ops(graph).filter((op) => op === 'FusedMatMul')).toHaveLength(2)
    expect(ops(graph)).not.toContain('Split')
    expect(await apart(() => gated(6, 1), { x: noise([6, 24], 1) }, 'direct')).toBeLessThan(1e-6)
  })

  it('are made in parts where weights were joined for one product', async () => {
    const build = (): Graph => {
      const builder = new GraphBuilder('joined')
      const x = builder.input('x', 'float32', [6, 24])
      const weights = [weight(builder, 'q', [16, 24], 2), weight(builder, 'k', [8, 24], 3)]
      const product = builder.emit('Gemm', [x, concat(weights, 0)], { transB: 1 })
      const [query, key] = split(product, [16, 8], -1) as [Value, Value]
      builder.output('y', concat([key, query], 1))
      return builder.finish()
    }
    expect(ops(await fast(build(), 'direct'))).toEqual(['FusedMatMul', 'FusedMatMul', 'Concat', 'Identity'])
    expect(await apart(build, { x: noise([6, 24], 1) }, 'direct')).toBeLessThan(1e-6)
  })

  it('with thousands of rows are made in blocks', async () => {
    const graph = await fast(gated(2048, 1), 'direct')
    expect(ops(graph)).not.toEqual(['FusedMatMul', 'Identity'])
    expect(await apart(() => gated(2048, 1), { x: noise([2048, 24], 1) }, 'direct')).toBeLessThan(1e-6)
  })

  it('are rewritten inside a loop too', async () => {
    const graph = await fast(gated(4096, 2), 'direct')
    expect(graph.nodes.find(({ op }) => op === 'Scan')?.body?.nodes.map(({ op }) => op)).not.toContain('Split')
    expect(await apart(() => gated(4096, 2), { x: noise([4096, 24], 1) }, 'direct')).toBeLessThan(1e-6)
  })

  it('stay whole where no block divides the rows', async () => {
    const rows = 2 * 1013
    const builder = new GraphBuilder('prime')
    const x = builder.input('x', 'float32', [rows, 8])
    builder.output('y', builder.emit('Gemm', [x, weight(builder, 'w', [8, 8], 1)], { transB: 1 }))
    expect(ops(await fast(builder.finish(), 'direct'))).toEqual(['FusedMatMul', 'Identity'])
  })
})
