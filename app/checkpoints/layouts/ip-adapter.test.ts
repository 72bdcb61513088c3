import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytesPerElement, float32, sizeOf } from '#app/tensor/tensor.ts'
import { openWeightsFile } from '../open.ts'
import { readWeight } from '../read.ts'
import { archiveBytes, nestedPickleOps, type TestArchive } from '../test-pickle.ts'
import { goldens, temporaryFile, temporaryFolder } from '../testing.ts'
import { writeSafetensors, writeWeights } from '../write.ts'
import { openIpAdapter } from './ip-adapter.ts'

const published = (name: string): string => join(goldens, 'checkpoints/ip-adapter', `${name}.safetensors`)

test.each([
  ['ip-adapter', 'image_embeds', 20],
  ['ip-adapter-plus', 'hidden_states', 24],
])('%s takes %s of %i numbers', async (name, takes, embedDim) => {
  const adapter = await openIpAdapter(published(name))
  expect(adapter).toMatchObject({ takes, embedDim, crossAttentionDim: 24 })
  expect(adapter.layers.map(({ to_k_ip: key }) => key.shape)).toEqual([[8, 24], [8, 24], [8, 24], [16, 24]]) // prettier-ignore
})

/** What torch.save makes of {"image_proj": {...}, "ip_adapter": {...}}, as the first ones were published. */
async function asBin(file: string): Promise<string> {
  const { weights } = await openWeightsFile(file)
  const archive: TestArchive = { storages: [], views: [], inside: false }
  const [storages, views] = [[...archive.storages], [...archive.views]]
  for (const [name, weight] of weights) {
    const { data } = await readWeight(weight)
    const { dtype, shape } = weight
    const bytes = new Uint8Array(data.buffer, data.byteOffset, sizeOf(shape) * bytesPerElement[dtype])
    const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
    views.push({ name, storage: storages.length, start: 0, shape, strides, as: 'v2' })
    storages.push({ dtype, elements: sizeOf(shape), bytes })
  }
  const whole = { ...archive, storages, views }
  return temporaryFile('ip-adapter.bin', archiveBytes(whole, nestedPickleOps(whole, ['image_proj', 'ip_adapter'])))
}

test('a .bin holds the same as a .safetensors', async () => {
  const plain = await openIpAdapter(published('ip-adapter-plus'))
  const bin = await openIpAdapter(await asBin(published('ip-adapter-plus')))
  expect(bin).toMatchObject({ takes: plain.takes, embedDim: plain.embedDim, summary: plain.summary })
  expect([...bin.projection.keys()].sort()).toEqual([...plain.projection.keys()].sort())
  for (const [i, { to_k_ip, to_v_ip }] of plain.layers.entries()) {
    expect((await readWeight(bin.layers[i]!.to_k_ip)).data).toEqual((await readWeight(to_k_ip)).data)
    expect((await readWeight(bin.layers[i]!.to_v_ip)).data).toEqual((await readWeight(to_v_ip)).data)
  }
})

test('a file of another kind, one that lacks a weight and one for faces are refused in words', async () => {
  await expect(openIpAdapter(join(goldens, 'checkpoints/lora/kohya.safetensors'))).rejects.toThrow(/holds a LoRA/)
  const { weights } = await openWeightsFile(published('ip-adapter'))
  const folder = await temporaryFolder()
  const cut = join(folder, 'cut.safetensors')
  await writeWeights(
    cut,
    [...weights.values()].filter(({ name }) => name !== 'ip_adapter.5.to_v_ip.weight'),
  )
  await expect(openIpAdapter(cut)).rejects.toThrow('no weight "ip_adapter.5.to_v_ip.weight"')
  const faces = join(folder, 'faceid.safetensors')
  const of = (...shape: number[]) => float32(shape, new Float32Array(sizeOf(shape)))
  await writeSafetensors(faces, {
    'image_proj.proj.0.weight': of(8, 4),
    'image_proj.proj.2.weight': of(16, 8),
    'image_proj.norm.weight': of(4),
    'ip_adapter.0.to_q_lora.down.weight': of(2, 4),
    'ip_adapter.1.to_k_ip.weight': of(4, 4),
    'ip_adapter.1.to_v_ip.weight': of(4, 4),
  })
  await expect(openIpAdapter(faces)).rejects.toThrow(/embeddings of faces \(Face ID\)/)
})
