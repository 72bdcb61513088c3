import { expect, it } from 'vitest'
import { openSession } from '#app/runtime/session.ts'
import { GraphBuilder, optimize, type Graph, type Node, type Value } from '#app/graph/index.ts'
import { difference } from '#app/parity/case.ts'
import { float32, sizeOf, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { explicitAttention, fusedAttention, slicedAttention, type AttentionKernel } from './attention-kernels.ts'

const [batch, heads, queries, keys, inner] = [2, 3, 11, 7, 24]

/** Numbers that look random and are the same each time. */
const wave = (shape: Shape, step: number): Tensor =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => 2 * Math.sin(i * step)),
  )

const inputs = {
  query: wave([batch, queries, inner], 0.7),
  key: wave([batch, keys, inner], 1.3),
  value: wave([batch, keys, inner], 2.1),
}
const masks: Readonly<Record<string, Tensor>> = {
  'over keys': wave([batch, 1, 1, keys], 3.3),
  'over queries and keys': wave([1, 1, queries, keys], 0.9),
  'for each head': wave([batch, heads, queries, keys], 0.3),
}

function graphOf(kernel: AttentionKernel, mask: Tensor | undefined): Graph {
  const builder = new GraphBuilder('attention')
  const input = (name: string, { dtype, shape }: Tensor): Value => builder.input(name, dtype, shape)
  const [query, key, value] = Object.entries(inputs).map(([name, tensor]) => input(name, tensor)) as [
    Value,
    Value,
    Value,
  ]
  builder.output('attended', kernel(query, key, value, heads, mask && input('mask', mask)))
  return optimize(builder.finish())
}

async function run(kernel: AttentionKernel, mask?: Tensor): Promise<Tensor> {
  const session = await openSession(graphOf(kernel, mask), { threads: 1, prepack: false })
  const { attended } = await session.run(mask ? { ...inputs, mask } : inputs)
  await session.release()
  return attended!
}

// 6 rows of heads: sizes that divide them, that leave a rest of one or more, and that hold all of them.
it.each([1, 2, 3, 4, 5, 6, 7])('slices of %i give what all heads at once give', async (size) => {
  expect(difference(await run(slicedAttention(size, 0)), await run(explicitAttention))).toBeLessThan(1e-6)
  for (const [name, mask] of Object.entries(masks))
    expect(
      difference(await run(slicedAttention(size, 0), mask), await run(explicitAttention, mask)),
      name,
    ).toBeLessThan(1e-6)
})

it.each([undefined, ...Object.keys(masks)])("the provider's operator agrees, mask %s", async (name) => {
  const mask = name === undefined ? undefined : masks[name]
  expect(difference(await run(fusedAttention, mask), await run(explicitAttention, mask))).toBeLessThan(1e-6)
})

it('holds the scores of one slice at a time', () => {
  const scores = (graph: Graph): number => {
    const sizes = (nodes: readonly Node[]): number[] =>
      nodes.flatMap(({ op, outputs, body }) => [
        ...(op === 'Softmax' ? outputs.map(({ shape }) => sizeOf(shape)) : []),
        ...sizes(body?.nodes ?? []),
      ])
    return Math.max(...sizes(graph.nodes))
  }
  expect(scores(graphOf(explicitAttention, undefined))).toBe(batch * heads * queries * keys)
  for (const size of [1, 2, 4]) expect(scores(graphOf(slicedAttention(size, 0), undefined))).toBe(size * queries * keys)
  expect(scores(graphOf(slicedAttention(1), undefined))).toBe(batch * heads * queries * keys)
})
