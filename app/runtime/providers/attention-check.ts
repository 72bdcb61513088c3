import type { Provider } from '#app/contract/compute.ts'
import { GraphBuilder, type Graph, type Value } from '#app/graph/index.ts'
import { float32, sizeOf, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { openSession } from '../session.ts'
import { values } from './exact-case.ts'

/**
 * Lengths that go through each of the ways that WebGPU has: below 32 queries, whole tiles, tiles with a rest, and a
 * mask.
 */
const cases = [
  { heads: 2, length: 17, keyLength: 17, headDim: 8, masked: false },
  { heads: 1, length: 64, keyLength: 64, headDim: 64, masked: false },
  { heads: 2, length: 37, keyLength: 77, headDim: 40, masked: false },
  { heads: 2, length: 33, keyLength: 20, headDim: 16, masked: true },
]
const limit = 1e-3

/**
 * Whether a provider's fused attention computes rightly. WebGPU's in onnxruntime 1.30 is wrong on some devices from 32
 * queries on: it leaves keys out where groups of threads have another size than it was written for (onnxruntime pull
 * request 28520).
 */
export function fusedAttentionIsRight(provider: Provider): Promise<boolean> {
  const running = known.get(provider) ?? measure(provider)
  known.set(provider, running)
  return running
}
const known = new Map<Provider, Promise<boolean>>()

async function measure(provider: Provider): Promise<boolean> {
  if (provider === 'cpu') return true
  for (const [index, { heads, length, keyLength, headDim, masked }] of cases.entries()) {
    const inputs: Record<string, Tensor<'float32'>> = {
      query: tensor([2, length, heads * headDim], index + 1),
      key: tensor([2, keyLength, heads * headDim], index + 2),
      value: tensor([2, keyLength, heads * headDim], index + 3),
      ...(masked && { mask: tensor([2, 1, length, keyLength], index + 4) }),
    }
    const graph = attentionGraph(inputs, heads)
    const [theirs, ours] = [await run(graph, inputs, provider), await run(graph, inputs, 'cpu')]
    const largest = ours.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    if (!ours.every((value, i) => Math.abs(value - theirs[i]!) <= limit * largest)) return false
  }
  return true
}

const tensor = (shape: Shape, seed: number): Tensor<'float32'> => float32(shape, values(sizeOf(shape), seed))

function attentionGraph(inputs: Readonly<Record<string, Tensor>>, heads: number): Graph {
  const builder = new GraphBuilder('attention-check')
  const [query, key, value, mask] = Object.entries(inputs).map(([name, { dtype, shape }]) =>
    builder.input(name, dtype, shape),
  ) as [Value, Value, Value, Value?]
  const operands = mask ? [query, key, value, null, null, mask] : [query, key, value]
  builder.output('y', builder.emit('MultiHeadAttention', operands, { num_heads: heads }))
  return builder.finish()
}

async function run(graph: Graph, inputs: Readonly<Record<string, Tensor>>, provider: Provider): Promise<Float32Array> {
  const session = await openSession(graph, { threads: 1, prepack: false, provider })
  try {
    return (await session.run(inputs)).y!.data as Float32Array
  } finally {
    await session.release()
  }
}
