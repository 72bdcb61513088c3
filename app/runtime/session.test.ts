import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import { GraphBuilder, linear, optimize, Scope, silu, type Graph } from '#app/graph/index.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { readMemory } from './memory.ts'
import { SessionCache } from './session-cache.ts'

const folder = await mkdtemp(join(tmpdir(), 'frameloom-session-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

/**
 * A safetensors file of `layers` square matrices of zeros. It is sparse: it has its size, and takes no room on the
 * disk.
 */
async function writeZeros(file: string, layers: number, size: number): Promise<void> {
  const bytes = size * size * 4
  const entries = Array.from({ length: layers }, (_, i) => [
    `${i}.weight`,
    { dtype: 'F32', shape: [size, size], data_offsets: [i * bytes, (i + 1) * bytes] },
  ])
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const handle = await open(file, 'w')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  await handle.write(Buffer.concat([length, header]))
  await handle.truncate(8 + header.length + layers * bytes)
  await handle.close()
}

async function chain(file: string, layers: number, size: number, rows = 1): Promise<Graph> {
  const { weights } = await readSafetensors(file)
  const builder = new GraphBuilder('Chain')
  const scope = Scope.root(builder, weights)
  let x = builder.input('x', 'float32', [rows, size])
  for (let i = 0; i < layers; i++) x = silu(linear(scope.at(i), x, size, { bias: false }))
  builder.output('y', x)
  return optimize(builder.finish())
}

describe('weights stay in their file', () => {
  it('opening a checkpoint of 2 GB grows anonymous memory by less than 100 MB', async () => {
    const file = join(folder, 'large.safetensors')
    await writeZeros(file, 8, 8192) // 8 x 256 MiB
    const graph = await chain(file, 8, 8192)
    const sessions = new SessionCache()
    const before = readMemory().anonymousBytes
    const session = await sessions.open('large', 'Chain', () => graph)
    expect(readMemory().anonymousBytes - before).toBeLessThan(100e6)
    await session.run({ x: float32([1, 8192], new Float32Array(8192)) })
    expect(readMemory().anonymousBytes - before).toBeLessThan(100e6)
    expect(sessions.stats().bytesMapped).toBe(8 * 8192 * 8192 * 4)
  })
})

describe('the session cache', () => {
  it('lets the least recently used go when the budget is full, and counts shared weights once', async () => {
    const [one, two] = [join(folder, 'one.safetensors'), join(folder, 'two.safetensors')]
    await writeZeros(one, 2, 1024) // 8 MiB
    await writeZeros(two, 2, 1024)
    const sessions = new SessionCache()
    const graphs = { a: await chain(one, 2, 1024, 1), b: await chain(one, 2, 1024, 2), c: await chain(two, 2, 1024) }
    await sessions.open('a', 'a', () => graphs.a)
    await sessions.open('b', 'b', () => graphs.b)
    expect(sessions.stats()).toMatchObject({ compilations: 2, bytesMapped: 8 * 2 ** 20 })

    await sessions.open('a', 'a', () => graphs.a) // now b is the older
    sessions.configure({ budgetBytes: 1 })
    await sessions.open('c', 'c', () => graphs.c)
    expect(sessions.stats().sessions.map(({ label }) => label)).toEqual(['c'])
    expect(sessions.stats().bytesMapped).toBe(16 * 2 ** 20)

    sessions.configure({ budgetBytes: 2 ** 40, mostMappings: 3 }) // each has two
    await sessions.open('a', 'a', () => graphs.a)
    expect(sessions.stats().sessions.map(({ label }) => label)).toEqual(['a'])
    await sessions.close()
    expect(sessions.stats().sessions).toEqual([])
  })
})
