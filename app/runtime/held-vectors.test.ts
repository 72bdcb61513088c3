import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { GraphBuilder, layerNorm, linear, Scope, type Graph } from '#app/graph/index.ts'
import { float32ToFloat16 } from '#app/tensor/half.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { SessionCache } from './session-cache.ts'
import { HeldVectors } from './held-vectors.ts'

const folder = await mkdtemp(join(tmpdir(), 'frameloom-widen-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Numbers that half precision holds as they are. */
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => ((i * 7) % 16) / 8 - 1)

async function checkpoint(name: string, dtype: 'float16' | 'float32'): Promise<string> {
  const tensor = (shape: readonly number[]) => {
    const values = numbers(shape.reduce((a, b) => a * b))
    return dtype === 'float32' ? float32(shape, values) : { dtype, shape, data: float32ToFloat16(values) }
  }
  const tensors = {
    'a.weight': tensor([6, 4]),
    'a.bias': tensor([6]),
    'norm.weight': tensor([6]),
    'norm.bias': tensor([6]),
  }
  const file = join(folder, name)
  await writeSafetensors(file, tensors)
  return file
}

async function graphOf(file: string): Promise<() => Graph> {
  const { weights } = await readSafetensors(file)
  return () => {
    const builder = new GraphBuilder('layers')
    const scope = Scope.root(builder, weights)
    const x = builder.input('x', 'float32', [3, 4])
    builder.output('y', layerNorm(scope.at('norm'), linear(scope.at('a'), x, 6)))
    return builder.finish()
  }
}

const opsOf = ({ nodes }: Graph, op: string): number => nodes.filter((node) => node.op === op).length

it('biases and scales are read once for each state of a file, and only matrices are widened by nodes', async () => {
  const file = await checkpoint('half.safetensors', 'float16')
  const vectors = new HeldVectors()
  const read: number[] = []
  const castsOf = async (build: () => Graph): Promise<number> =>
    opsOf(await vectors.inGraph(build(), (bytes) => read.push(bytes)), 'Cast')
  expect(opsOf((await graphOf(file))(), 'Cast')).toBe(4)
  expect(await castsOf(await graphOf(file))).toBe(1)
  expect(await castsOf(await graphOf(file))).toBe(1) // opened anew, as with another motion adapter
  expect(read).toEqual([3 * 6 * 2])
  await utimes(file, 1, 1)
  expect(await castsOf(await graphOf(file))).toBe(1)
  expect(read).toEqual([3 * 6 * 2, 3 * 6 * 2])
})

it('a layer computes the same in both precisions', async () => {
  const results = []
  for (const dtype of ['float16', 'float32'] as const) {
    const sessions = new SessionCache()
    const build = await graphOf(await checkpoint(`${dtype}.safetensors`, dtype))
    const session = await sessions.open(dtype, dtype, build)
    results.push((await session.run({ x: float32([3, 4], numbers(12)) })).y!.data)
    await sessions.close()
  }
  expect(results[0]).toEqual(results[1])
})
