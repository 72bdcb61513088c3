import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
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
  const found = await eightBitWeights(weights, 8, { cacheDir: cache() })
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

it('tells weights of one file apart that have the same name in their models', async () => {
  await writeSafetensors(file, { first: values([32, 16], 1), second: values([32, 16], 5) })
  const [first, second] = (await weightsOf()).map((weight): Weight => ({ ...weight, name: 'proj.weight' }))
  for (const [weight, seed] of [
    [first!, 1],
    [second!, 5],
    [first!, 1],
  ] as const) {
    const { columns } = (await eightBitWeights([weight], 8, { cacheDir: cache() })).get(weight)!
    expect(await readWeight(columns)).toEqual(quantizeWeight(values([32, 16], seed), 8).columns)
  }
  expect(await readdir(beside())).toHaveLength(2)
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

it('tells how far it is, and what is told may stop it: the next time goes on', async () => {
  const weights = await weightsOf()
  const sizes = [32 * 16, 16 * 8 * 3 * 3]
  const told: number[] = []
  const stop = new Error('stopped')
  const onQuantizing = (share: number): void => {
    told.push(share)
    if (told.length === 2) throw stop
  }
  await expect(eightBitWeights(weights, 8, { cacheDir: cache(), onQuantizing })).rejects.toBe(stop)
  expect(told).toEqual([0, sizes[0]! / (sizes[0]! + sizes[1]!)])
  expect(await readdir(beside())).toEqual([]) // nothing half-written

  await eightBitWeights(weights.slice(0, 1), 8)
  await eightBitWeights(weights, 8, { onQuantizing })
  expect(told.slice(2)).toEqual([told[1], 1])
  await eightBitWeights(weights, 8, { onQuantizing })
  expect(told).toHaveLength(4) // all there: nothing to tell
})

it('clears away the half of a file that an ended process left, and never reads it', async () => {
  await expectRight(await weightsOf())
  const [name] = await readdir(beside())
  const whole = await readFile(join(beside(), name!))
  const ended = spawnSync(process.execPath, ['--version']).pid
  const ofAnother = `${name}.${process.ppid}-00000000.part` // still at it
  await rm(join(beside(), name!))
  for (const half of [`${name}.${ended}-00000000.part`, `${name}.${ended}-0badcafe.part`, ofAnother])
    await writeFile(join(beside(), half), whole.subarray(0, whole.length / 2))
  await expectRight(await weightsOf())
  expect((await readdir(beside())).sort()).toEqual([ofAnother, name].sort())
})
