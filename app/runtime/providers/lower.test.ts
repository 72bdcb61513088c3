import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Weight } from '#app/checkpoints/weights.ts'
import {
  conv2d,
  GraphBuilder,
  linear,
  optimize,
  runPasses,
  Scope,
  silu,
  type Graph,
  type Value,
} from '#app/graph/index.ts'
import { gpuFloat16Passes, gpuFloat32Passes } from '#app/graph/targets.ts'
import { float32, sizeOf, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { quantizeWeight } from '../quantize/quantize-weight.ts'
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

type Data = { readonly input: Tensor<'float32'>; readonly weight: Tensor<'float32'> }

const dataOf = (input: Shape, weight: Shape): Data => ({
  // Off the middle, where the zero point would be half way between two bytes.
  input: float32(
    input,
    values(sizeOf(input), 5).map((value) => value + 0.3),
  ),
  weight: float32(weight, values(sizeOf(weight), 3)),
})

/** The numbers that 8 bits keep: rounded as the operators do, and back in float32. */
function rounded({ input, weight }: Data): Data {
  const low = input.data.reduce((least, value) => Math.min(least, value), 0)
  const high = input.data.reduce((most, value) => Math.max(most, value), 0)
  const scale = (high - low) / 255
  const zeroPoint = Math.round(-low / scale)
  const bytes = input.data.map((value) => Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint)))
  const { columns, scales } = quantizeWeight(weight, 8)
  const [out, channels, ...spatial] = weight.shape as [number, number, ...number[]]
  const pixels = sizeOf(spatial)
  const restored = weight.data.map((_, i) => {
    const [o, c, pixel] = [Math.floor(i / (channels * pixels)), Math.floor(i / pixels) % channels, i % pixels]
    return columns.data[(pixel * channels + c) * out + o]! * scales.data[o]!
  })
  return {
    input: float32(
      input.shape,
      bytes.map((byte) => (byte - zeroPoint) * scale),
    ),
    weight: float32(weight.shape, restored),
  }
}

function layer({ input, weight }: Data, define: (scope: Scope, x: Value) => Value): Graph {
  const builder = new GraphBuilder('layer')
  const bias = values(weight.shape[0]!, 4)
  const known = (name: string, shape: Shape, data: Float32Array): [string, Weight] => [
    name,
    { name, dtype: 'float32', shape, source: { bytes: new Uint8Array(data.buffer) } },
  ]
  const weights = new Map([known('weight', weight.shape, weight.data), known('bias', [bias.length], bias)])
  const x = builder.input('x', 'float32', input.shape)
  builder.output('y', define(Scope.root(builder, weights), x))
  return optimize(builder.finish())
}

describe('8 bits', () => {
  it.each([
    { name: '3 by 3', channels: 32, side: 9, kernel: 3, stride: 1, padding: 1 },
    { name: 'with a stride', channels: 32, side: 10, kernel: 3, stride: 2, padding: 1 },
    { name: 'without padding', channels: 16, side: 8, kernel: 3, stride: 1, padding: 0 },
    { name: '1 by 1', channels: 48, side: 6, kernel: 1, stride: 1, padding: 0 },
    { name: '1 by 1 with a stride', channels: 48, side: 7, kernel: 1, stride: 2, padding: 0 },
    { name: 'several pieces of each image', channels: 128, side: 72, kernel: 3, stride: 1, padding: 1, batch: 2 },
    { name: 'several images a piece', channels: 64, side: 40, kernel: 3, stride: 1, padding: 1 },
  ])('a convolution, $name', async ({ channels, side, kernel, batch = 5, ...options }) => {
    const data = dataOf([batch, channels, side, side], [24, channels, kernel, kernel])
    const define = (scope: Scope, x: Value): Value => conv2d(scope, x, 24, { kernel, ...options })
    const lowered = await lower(layer(data, define), int8)
    expect(ops(lowered)).not.toContain('Conv')
    const exact = rounded(data)
    expect(distance(await run(lowered, data.input), await run(layer(exact, define), exact.input))).toBeLessThan(5e-3)
  })

  it.each([false, true])('a linear layer, prepacked or not; in chunks: %s', async (chunked) => {
    const data = dataOf([4, 20, 64], [48, 64])
    const one = (scope: Scope, x: Value): Value => silu(linear(scope, x, 48))
    const define = (scope: Scope, x: Value): Value =>
      chunked ? x.builder.scan([x], 0, (rows) => one(scope, rows)) : one(scope, x)
    const lowered = await lower(layer(data, define), int8)
    expect(lowered.nodes.flatMap(({ op, body }) => [op, ...(body?.nodes.map((node) => node.op) ?? [])])).not.toContain(
      'Gemm',
    )
    const plain = await run(lowered, data.input)
    expect(distance(await run(lowered, data.input, true), plain)).toBeLessThan(1e-6)
    // A chunk has its own range, and so its own rounding.
    const exact = chunked ? data : rounded(data)
    expect(distance(plain, await run(layer(exact, define), exact.input))).toBeLessThan(chunked ? 5e-2 : 5e-3)
  })

  it('leaves a layer of few rows and the first convolution as they are', async () => {
    const few = layer(dataOf([2, 64], [64, 64]), (scope, x) => linear(scope, x, 64))
    expect(ops(await lower(few, int8))).toContain('Gemm')
    const first = layer(dataOf([2, 4, 16, 16], [64, 4, 3, 3]), (scope, x) => conv2d(scope, x, 64, { padding: 1 }))
    expect(ops(await lower(first, int8))).toContain('Conv')
  })

  it('writes nothing for weights that are in memory', async () => {
    await lower(wideGraph(), int8)
    expect(await readdir(folder)).toEqual([])
  })
})

it('the weights have 7 bits where 8 overflow, and 8 where the processor has instructions for them', async () => {
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const bits = await weightBits()
  if (/avx512_vnni|avx_vnni/.test(cpuinfo)) expect(bits).toBe(8)
  else expect([7, 8]).toContain(bits)
})

describe('other forms of a graph', () => {
  it('half precision agrees with float32 to three digits, and keeps norms and softmax in float32', async () => {
    const half = await runPasses(wideGraph(), gpuFloat16Passes({ fusedAttentionIsRight: true }))
    // The processor computes what it has no half-precision kernel for in float32, between the same roundings.
    expect(distance(await run(half, wideInput), await run(wideGraph(), wideInput))).toBeLessThan(5e-3)
    for (const { op, outputs } of half.nodes) {
      if (['Conv', 'Gemm', 'MultiHeadAttention', 'MatMul'].includes(op)) expect(outputs[0]!.dtype, op).toBe('float16')
      if (['LayerNormalization', 'InstanceNormalization', 'Softmax'].includes(op))
        expect(outputs[0]!.dtype, op).toBe('float32')
    }
  })

  it('plain attention is the same as the operator', async () => {
    const plain = await runPasses(wideGraph(), gpuFloat32Passes({ fusedAttentionIsRight: false }))
    expect(ops(plain)).not.toContain('MultiHeadAttention')
    expect(distance(await run(plain, wideInput), await run(wideGraph(), wideInput))).toBeLessThan(1e-6)
  })
})
