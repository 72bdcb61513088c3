import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCheckpoint } from './folder.ts'
import { readWeight, toFloat32 } from './read.ts'
import { goldens, temporaryFolder } from './testing.ts'
import { writeSafetensors } from './write.ts'

const golden = (name: string) => join(goldens, 'checkpoints', name)
const tensor = (value: number) => ({ dtype: 'float32', shape: [1], data: Float32Array.of(value) }) as const

/** A model folder with these safetensors files, each with one tensor that tells which file it came from. */
async function folderWith(...files: string[]): Promise<string> {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'config.json'), '{"_class_name":"Test"}')
  for (const [i, file] of files.entries()) await writeSafetensors(join(folder, file), { [`from ${file}`]: tensor(i) })
  return folder
}

describe('genuine folders', () => {
  test.each([
    ['temporal-motion', 'float32', 1, undefined],
    ['temporal-sharded', 'float32', 2, undefined],
    ['temporal-bf16', 'bfloat16', 1, undefined],
    ['temporal-fp16', 'float16', 1, 'fp16'],
    ['temporal-bin', 'float32', 1, undefined],
    ['temporal-bin-strided', 'float32', 1, undefined],
  ])('%s', async (name, precision, files, variant) => {
    const checkpoint = await openCheckpoint(golden(name))
    const reference = await openCheckpoint(golden('temporal-motion'))
    expect(checkpoint.config).toHaveProperty('_class_name')
    expect(checkpoint.summary).toMatchObject({ precision, parameters: 46144, dtypes: { [precision]: 46144 } })
    expect(checkpoint.files).toHaveLength(files)
    expect(checkpoint.variant).toBe(variant)
    expect([...checkpoint.weights.keys()].sort()).toEqual([...reference.weights.keys()].sort())
    const step = { float32: 0, float16: 2 ** -11, bfloat16: 2 ** -8 }[precision]!
    for (const [key, weight] of checkpoint.weights) {
      const ours = toFloat32(await readWeight(weight))
      const theirs = toFloat32(await readWeight(reference.weights.get(key)!))
      expect(ours.shape).toEqual(theirs.shape)
      const far = theirs.data.findIndex(
        (value, i) => Math.abs(ours.data[i]! - value) > step * Math.abs(value) + 2 ** -25,
      )
      expect(far, key).toBe(-1)
    }
  })
})

describe('which files are taken', () => {
  const opened = async (folder: string, variant?: string) => [
    ...(await openCheckpoint(folder, { variant })).weights.keys(),
  ]

  test.each([
    [['diffusion_pytorch_model.safetensors', 'diffusion_pytorch_model.fp16.safetensors'], undefined, 0],
    [['diffusion_pytorch_model.safetensors', 'diffusion_pytorch_model.fp16.safetensors'], 'fp16', 1],
    [['diffusion_pytorch_model.safetensors', 'diffusion_pytorch_model.non_ema.safetensors'], 'non_ema', 1],
    [['model.fp16.safetensors'], undefined, 0],
    [['model.safetensors', 'model.fp16.safetensors'], undefined, 0],
    [['other.safetensors', 'model.bf16.safetensors'], undefined, 1],
  ])('of %j, variant %s: number %i', async (files, variant, index) => {
    expect(await opened(await folderWith(...files), variant)).toEqual([`from ${files[index]}`])
  })

  test.each([
    'diffusion_pytorch_model.safetensors.index.fp16.json',
    'diffusion_pytorch_model.fp16.safetensors.index.json',
  ])('the shards of %s', async (index) => {
    const folder = await folderWith('a.fp16.safetensors', 'b.fp16.safetensors')
    const weight_map = {
      'from a.fp16.safetensors': 'a.fp16.safetensors',
      'from b.fp16.safetensors': 'b.fp16.safetensors',
    }
    await writeFile(join(folder, index), JSON.stringify({ metadata: { total_size: 8 }, weight_map }))
    for (const variant of ['fp16', undefined]) expect(await opened(folder, variant)).toEqual(Object.keys(weight_map))
  })

  test.skipIf(process.platform === 'win32')('links of a hub cache are followed to their blobs', async () => {
    const cache = await temporaryFolder()
    await mkdir(join(cache, 'blobs'))
    await cp(golden('temporal-motion'), join(cache, 'snapshot'), { recursive: true })
    const file = join(cache, 'snapshot/diffusion_pytorch_model.safetensors')
    await rename(file, join(cache, 'blobs/0123'))
    await symlink('../blobs/0123', file)
    const checkpoint = await openCheckpoint(join(cache, 'snapshot'))
    const blob = realpathSync(join(cache, 'blobs/0123'))
    expect(checkpoint.files).toEqual([blob])
    for (const { source } of checkpoint.weights.values()) expect(source).toMatchObject({ file: blob })
    await rm(blob)
    await expect(openCheckpoint(join(cache, 'snapshot'))).rejects.toThrow(`${file} cannot be found`)
  })
})

describe('what is refused', () => {
  const index = 'diffusion_pytorch_model.safetensors.index.json'
  const sharded = async (weight_map: unknown) => {
    const folder = await folderWith('a.safetensors', 'b.safetensors')
    await writeFile(join(folder, index), typeof weight_map === 'string' ? weight_map : JSON.stringify({ weight_map }))
    return openCheckpoint(folder)
  }
  const whole = { 'from a.safetensors': 'a.safetensors', 'from b.safetensors': 'b.safetensors' }

  test.each([
    ['a key that its shard lacks', { ...whole, more: 'a.safetensors' }, 'weight_map puts "more" into "a.safetensors"'],
    [
      'a key in the other shard',
      { 'from a.safetensors': 'b.safetensors', 'from b.safetensors': 'a.safetensors' },
      'puts into',
    ],
    [
      'a shard with another key',
      { 'from a.safetensors': 'a.safetensors', x: 'b.safetensors' },
      '"from b.safetensors", which',
    ],
    ['a missing shard', { ...whole, c: 'c.safetensors' }, '"c.safetensors", which is not there'],
    ['nothing', {}, 'weight_map is empty'],
    ['a list', [], 'weight_map'],
    ['no JSON', '{"weight_map":', 'not valid JSON'],
    ['another file', '[]', 'no index of shards'],
  ])('an index with %s', async (_, weightMap, says) => {
    await expect(sharded(weightMap)).rejects.toThrow(says)
  })

  test.each([
    '../a.safetensors',
    '..\\a.safetensors',
    'sub/a.safetensors',
    './a.safetensors',
    '/etc/passwd',
    'C:a.safetensors',
    '\\\\host\\share\\a.safetensors',
    'file:///a.safetensors',
    '..',
    '.hidden.safetensors',
    'a.safetensors\0',
    'a.safetensors:stream',
    'a.safetensors ',
    '',
  ])('the shard name %j', async (shard) => {
    await expect(sharded({ 'from a.safetensors': shard })).rejects.toThrow('not a plain file name')
  })

  test('a variant that is not there names the files that are', async () => {
    const folder = await folderWith('model.safetensors')
    const opened = openCheckpoint(folder, { variant: 'fp16' })
    await expect(opened).rejects.toThrow(
      /no weights of the variant fp16.*model\.fp16\.safetensors.*There are: model\.safetensors/,
    )
    await expect(openCheckpoint(folder, { variant: '../x' })).rejects.toThrow('plain word')
  })

  test('folders without what is needed', async () => {
    const folder = await folderWith()
    await expect(openCheckpoint(folder)).rejects.toThrow(/diffusion_pytorch_model\.safetensors.*pytorch_model\.bin/)
    await writeFile(join(folder, 'config.json'), '[1]')
    await expect(openCheckpoint(folder)).rejects.toThrow('must hold a JSON object')
    await writeFile(join(folder, 'config.json'), '{')
    await expect(openCheckpoint(folder)).rejects.toThrow(/config\.json cannot be read: it is not valid JSON/)
    await writeFile(join(folder, 'config.json'), '\n<!DOCTYPE html><html>')
    await expect(openCheckpoint(folder)).rejects.toThrow(/config\.json cannot be read: it is an HTML page/)
    await rm(join(folder, 'config.json'))
    await expect(openCheckpoint(folder)).rejects.toThrow('no config.json')
    await writeFile(join(folder, 'model_index.json'), await readFile(join(golden('temporal-motion'), 'config.json')))
    await expect(openCheckpoint(folder)).rejects.toThrow('whole pipeline')
    await expect(openCheckpoint(join(folder, 'none'))).rejects.toMatchObject({ problem: { code: 'not-found' } })
  })
})
