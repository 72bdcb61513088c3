import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { DType, Tensor } from '#app/tensor/tensor.ts'
import { sha256File } from '#app/files/sha256.ts'
import { readWeight } from './read.ts'
import { readSafetensors } from './safetensors.ts'
import { goldens, temporaryFile, temporaryFolder } from './testing.ts'
import { writeSafetensors } from './write.ts'

const tensors: Record<string, Tensor> = {
  flags: { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) },
  bytes: { dtype: 'uint8', shape: [1], data: Uint8Array.of(255) },
  chars: { dtype: 'int8', shape: [1, 1], data: Int8Array.of(-7) },
  shorts: { dtype: 'int16', shape: [2], data: Int16Array.of(-300, 300) },
  ints: { dtype: 'int32', shape: [1], data: Int32Array.of(-70_000) },
  longs: { dtype: 'int64', shape: [], data: BigInt64Array.of(-(2n ** 60n)) },
  half: { dtype: 'float16', shape: [2], data: Uint16Array.of(0x3c00, 0x7bff) },
  bfloat: { dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0x3f80) },
  single: { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
  double: { dtype: 'float64', shape: [1], data: Float64Array.of(Math.PI) },
  empty: { dtype: 'float32', shape: [0, 4], data: new Float32Array(0) },
  'ключ "1"\n': { dtype: 'float32', shape: [1], data: new Float32Array(9).subarray(4, 5) },
  ['__proto__']: { dtype: 'uint8', shape: [1], data: Uint8Array.of(9) },
}

test('every dtype comes back, aligned, with its metadata', async () => {
  const path = join(await temporaryFolder(), 'all.safetensors')
  await writeSafetensors(path, tensors, { format: 'pt', note: 'ü' })
  const { weights, metadata } = await readSafetensors(path)
  expect({ ...metadata }).toEqual({ format: 'pt', note: 'ü' })
  expect(weights.size).toBe(Object.keys(tensors).length)
  for (const [name, weight] of weights) {
    expect(await readWeight(weight), name).toEqual(tensors[name])
    if ('offset' in weight.source) expect(weight.source.offset % tensors[name]!.data.BYTES_PER_ELEMENT, name).toBe(0)
  }
  expect(await readdir(dirname(path))).toEqual(['all.safetensors'])
})

test('a write that fails leaves what was there and no part', async () => {
  const path = join(await temporaryFolder(), 'kept.safetensors')
  await writeSafetensors(path, { a: tensors.single! })
  const before = await readFile(path)
  const short = { dtype: 'float32', shape: [3], data: Float32Array.of(1) } as const
  await expect(writeSafetensors(path, { a: short })).rejects.toThrow('do not fill')
  await expect(writeSafetensors(path, { __metadata__: tensors.single! })).rejects.toThrow('__metadata__')
  const nowhere = join(dirname(path), 'none/a.safetensors')
  await expect(writeSafetensors(nowhere, { a: tensors.single! })).rejects.toMatchObject({ problem: { code: 'disk' } })
  expect(await readFile(path)).toEqual(before)
  expect(await readdir(dirname(path))).toEqual(['kept.safetensors'])
})

test('bytes in memory at an odd place are read', async () => {
  const bytes = new Uint8Array(13)
  bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 5)
  const weight = { name: 'a', dtype: 'float32' as DType, shape: [2], source: { bytes: bytes.subarray(5) } }
  expect((await readWeight(weight)).data).toEqual(Float32Array.of(1.5, -2))
})

test('a file that became shorter is said to be so', async () => {
  const path = await temporaryFile('x.bin', 'abc')
  const weight = { name: 'a', dtype: 'uint8' as DType, shape: [4], source: { file: path, offset: 0, length: 4 } }
  await expect(readWeight(weight)).rejects.toThrow('became shorter')
})

test('sha256 of a file, and its abort', async () => {
  const path = join(goldens, 'checkpoints/temporal-motion/diffusion_pytorch_model.safetensors')
  expect(await sha256File(path)).toBe(
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
  )
  expect(await sha256File(await temporaryFile('abc', 'abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
  const controller = new AbortController()
  const hash = sha256File(path, { signal: controller.signal })
  controller.abort()
  await expect(hash).rejects.toMatchObject({ name: 'AbortError' })
})
