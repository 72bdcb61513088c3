import { mkdir, mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { readWeight } from '#app/checkpoints/read.ts'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import type { Weight } from '#app/checkpoints/weights.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { eightBitWeights } from './quantize-cache.ts'
import { quantizeWeight } from './quantize-weight.ts'

let root: string
let file: string
const cache = (): string => join(root, 'cache')
const beside = (): string => join(root, 'model', '.frameloom')
const values = (shape: number[], seed: number) =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i + seed)),
  )

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'frameloom-int8-'))
  await mkdir(join(root, 'model'))
  file = join(root, 'model', 'model.safetensors')
  await writeSafetensors(file, { a: values([32, 16], 1), b: values([16, 8, 3, 3], 2) })
  return () => rm(root, { recursive: true, force: true })
})

const weightsOf = async (): Promise<Weight[]> => [...(await readSafetensors(file)).weights.values()]

async function expectRight(weights: readonly Weight[]): Promise<Awaited<ReturnType<typeof eightBitWeights>>> {
  const found = await eightBitWeights(weights, 8, cache())
  for (const weight of weights) {
    const right = quantizeWeight(values([...weight.shape], weight.name === 'a' ? 1 : 2), 8)
    const { columns, scales } = found.get(weight)!
    expect(await readWeight(columns)).toEqual(right.columns)
    expect(await readWeight(scales)).toEqual(right.scales)
  }
  return found
}

it('makes each weight once, beside the model', async () => {
  const weights = await weightsOf()
  await expectRight(weights.slice(0, 1))
  const [first] = await readdir(beside())
  const { mtimeMs, ino } = await stat(join(beside(), first!))
  await expectRight(weights)
  const names = await readdir(beside())
  expect(names).toHaveLength(2) // the second file has the second weight alone
  expect(names.filter((name) => name.includes('part'))).toEqual([])
  expect(await stat(join(beside(), first!))).toMatchObject({ mtimeMs, ino })
  await expectRight(weights)
  expect(await readdir(beside())).toEqual(names)
})

it('makes them anew when the checkpoint changed, and lets the old ones go', async () => {
  await expectRight(await weightsOf())
  const before = await readdir(beside())
  await utimes(file, 1_000_000, 1_000_000)
  await expectRight(await weightsOf())
  const after = await readdir(beside())
  expect(after).toHaveLength(1)
  expect(after).not.toEqual(before)
})

it('makes a damaged file anew', async () => {
  await expectRight(await weightsOf())
  const [name] = await readdir(beside())
  await truncate(join(beside(), name!), 100)
  await expectRight(await weightsOf())
})

it('uses the cache folder where the model cannot be written, and memory where neither can', async () => {
  await writeFile(beside(), 'a file where the folder would be')
  const found = await expectRight(await weightsOf())
  expect([...found.values()][0]!.columns.source).toMatchObject({ file: expect.stringContaining(cache()) })
  await rm(cache(), { recursive: true })
  await writeFile(cache(), 'and here')
  const inMemory = await expectRight(await weightsOf())
  expect([...inMemory.values()][0]!.columns.source).toHaveProperty('bytes')
})
