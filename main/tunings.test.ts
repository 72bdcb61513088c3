import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { defaultCompute } from '#app/contract/compute.ts'
import type { KeptTuning } from '#app/contract/profile.ts'
import { keepTuning, keptTuning, type TuningKey } from './tunings.ts'

let file: string
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-tunings-'))
  file = join(folder, 'data', 'tunings.json')
})
afterEach(() => rm(folder, { recursive: true }))

const key: TuningKey = {
  model: { folder: '/models/painter', bytes: 10 },
  motionAdapter: { folder: '/models/motion', bytes: 20 },
  shape: { width: 64, height: 64, numFrames: 8, batch: 2, compute: defaultCompute },
}
const tuning: KeptTuning = {
  name: 'Least memory',
  attnProcessor: { 'mid_block.attn1.processor': { processor: 'SlicedAttnProcessor', slice_size: 4 } },
  forwardChunking: { chunkSize: 4, dim: 1 },
  measured: { milliseconds: 10, peakBytes: 20 },
  keptAt: 5,
}

it('comes back for the same model and size, and for no other', async () => {
  expect(await keptTuning(key, file)).toBeNull()
  await keepTuning(key, tuning, file)
  expect(await keptTuning(key, file)).toEqual(tuning)
  const others: TuningKey[] = [
    { ...key, model: { ...key.model, bytes: 11 } },
    { ...key, motionAdapter: null },
    { ...key, shape: { ...key.shape, numFrames: 9 } },
    { ...key, shape: { ...key.shape, batch: 1 } },
    { ...key, shape: { ...key.shape, compute: { ...defaultCompute, precision: 'int8' } } },
  ]
  for (const other of others) expect(await keptTuning(other, file)).toBeNull()
})

it('a later choice takes its place, and those of others stay', async () => {
  const other = { ...key, motionAdapter: null }
  await keepTuning(key, tuning, file)
  await keepTuning(other, { ...tuning, name: 'Balanced' }, file)
  await keepTuning(key, { ...tuning, name: 'Fastest', attnProcessor: null }, file)
  expect(await keptTuning(key, file)).toMatchObject({ name: 'Fastest', attnProcessor: null })
  expect(await keptTuning(other, file)).toMatchObject({ name: 'Balanced' })
})

it('a file that was damaged is as none', async () => {
  await keepTuning(key, tuning, file)
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 40))
  expect(await keptTuning(key, file)).toBeNull()
  await keepTuning(key, tuning, file)
  expect(await keptTuning(key, file)).toEqual(tuning)
})
