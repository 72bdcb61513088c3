import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Weight } from '#app/checkpoints/weights.ts'
import { conv2d, defaultOptions, GraphBuilder, linear, optimize, Scope, silu, type Graph } from '#app/graph/index.ts'
import { toHalf } from '#app/graph/passes/half.ts'
import { plainAttention } from '#app/graph/passes/plain-attention.ts'
import { float32, sizeOf, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { openSession } from '../session.ts'
import { values } from './exact-case.ts'
import { lower } from './lower.ts'
import { wideGraph, wideInput } from './wide-case.ts'
import { weightBits } from './weight-bits.ts'

const folder = await mkdtemp(join(tmpdir(), 'frameloom-lower-'))
afterAll(() => rm(folder, { recursive: true, force: true }))
beforeEach(() => {
  vi.stubEnv('FRAMELOOM_CACHE', folder)
  return () => vi.unstubAllEnvs()
})

const int8 = { provider: 'cpu', precision: 'int8' } as const
const ops = (graph: Graph): string[] => graph.nodes.map(({ op }) => op)

async function run(graph: Graph, input: Tensor, prepack = false): Promise<Float32Array> {
  const session = await openSession(graph, { threads: 1, prepack })
  const { y } = await session.run({ x: input })
  await session.release()
  return y!.data as Float32Array
}

function distance(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0) / largest
}

function layer(input: Shape, weight: Shape, define: (scope: Scope, builder: GraphBuilder) => void): [Graph, Tensor] {
  const builder = new GraphBuilder('layer')
  const data = values(sizeOf(weight), 3)
  const weights = new Map<string, Weight>([
    ['weight', { name: 'weight', dtype: 'float32', shape: weight, source: { bytes: new Uint8Array(data.buffer) } }],
    [
      'bias',
      {
        name: 'bias',
        dtype: 'float32',
        shape: [weight[0]!],
        source: { bytes: new Uint8Array(values(weight[0]!, 4).buffer) },
      },
    ],
  ])
  define(Scope.root(builder, weights, defaultOptions), builder)
  return [optimize(builder.finish()), float32(input, values(sizeOf(input), 5))]
}

describe('8 bits', () => {
  it.each([
    { name: '3 by 3', channels: 32, side: 9, kernel: 3, stride: 1, padding: 1 },
    { name: 'with a stride', channels: 32, side: 10, kernel: 3, stride: 2, padding: 1 },
    { name: 'without padding', channels: 16, side: 8, kernel: 3, stride: 1, padding: 0 },
    { name: '1 by 1', channels: 48, side: 6, kernel: 1, stride: 1, padding: 0 },
    { name: '1 by 1 with a stride', channels: 48, side: 7, kernel: 1, stride: 2, padding: 0 },
    { name: 'several pieces of each image', channels: 128, side: 72, kernel: 3, stride: 1, padding: 1 },
    { name: 'several images a piece', channels: 64, side: 40, kernel: 3, stride: 1, padding: 1 },
  ])('a convolution, $name', async ({ channels, side, kernel, ...options }) => {
    const input = [5, channels, side, side]
    const [graph, x] = layer(input, [24, channels, kernel, kernel], (scope, builder) =>
      builder.output('y', conv2d(scope, builder.input('x', 'float32', input), 24, { kernel, ...options })),
    )
    const lowered = await lower(graph, int8)
    expect(ops(lowered)).not.toContain('Conv')
    expect(distance(await run(lowered, x), await run(graph, x))).toBeLessThan(1e-2)
  })

  it('a linear layer, prepacked or not, and inside of chunks', async () => {
    for (const chunked of [false, true]) {
      const [graph, x] = layer([4, 20, 64], [48, 64], (scope, builder) => {
        const input = builder.input('x', 'float32', [4, 20, 64])
        builder.output(
          'y',
          chunked ? builder.scan([input], 0, (rows) => silu(linear(scope, rows, 48))) : silu(linear(scope, input, 48)),
        )
      })
      const lowered = await lower(graph, int8)
      expect(
        JSON.stringify(lowered.nodes.map(({ op, body }) => [op, body?.nodes.map((node) => node.op)])),
      ).not.toContain('Gemm')
      const right = await run(graph, x)
      expect(distance(await run(lowered, x), right)).toBeLessThan(2e-2)
      expect(distance(await run(lowered, x, true), right)).toBeLessThan(2e-2)
    }
  })

  it('leaves a layer of few rows and the first convolution as they are', async () => {
    const [few] = layer([2, 64], [64, 64], (scope, builder) =>
      builder.output('y', linear(scope, builder.input('x', 'float32', [2, 64]), 64)),
    )
    expect(ops(await lower(few, int8))).toContain('Gemm')
    const [first] = layer([2, 4, 16, 16], [64, 4, 3, 3], (scope, builder) =>
      builder.output('y', conv2d(scope, builder.input('x', 'float32', [2, 4, 16, 16]), 64, { padding: 1 })),
    )
    expect(ops(await lower(first, int8))).toContain('Conv')
  })

  it('writes nothing for weights that are in memory', async () => {
    await lower(wideGraph(), int8)
    expect(await readdir(folder)).toEqual([])
  })
})

it('the weights have 7 bits where 8 overflow, and 8 where the processor has instructions for them', async () => {
  const { readFile } = await import('node:fs/promises')
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const bits = await weightBits()
  if (/avx512_vnni|avx_vnni/.test(cpuinfo)) expect(bits).toBe(8)
  else expect([7, 8]).toContain(bits)
})

describe('other forms of a graph', () => {
  it('half precision agrees with float32 to three digits, and keeps norms and softmax in float32', async () => {
    const half = toHalf(wideGraph())
    // The processor computes what it has no half-precision kernel for in float32, between the same roundings.
    expect(distance(await run(half, wideInput), await run(wideGraph(), wideInput))).toBeLessThan(5e-3)
    for (const { op, outputs } of half.nodes) {
      if (['Conv', 'Gemm', 'MultiHeadAttention', 'MatMul'].includes(op)) expect(outputs[0]!.dtype, op).toBe('float16')
      if (['LayerNormalization', 'InstanceNormalization', 'Softmax'].includes(op))
        expect(outputs[0]!.dtype, op).toBe('float32')
    }
  })

  it('plain attention is the same as the operator', async () => {
    const plain = plainAttention(wideGraph())
    expect(ops(plain)).not.toContain('MultiHeadAttention')
    expect(distance(await run(plain, wideInput), await run(wideGraph(), wideInput))).toBeLessThan(1e-6)
  })
})
