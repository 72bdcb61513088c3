import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { goldens, temporaryFolder } from '#app/checkpoints/testing.ts'
import { writeWeights } from '#app/checkpoints/write.ts'
import { bundledModelsDir } from '#main/paths.ts'
import { scanOwn, writeTo } from './test-scan.ts'

const tiny = (name: string): string => join(goldens, 'pipelines/checkpoints', name)
const ipAdapter = join(goldens, 'checkpoints/ip-adapter/ip-adapter-plus.safetensors')

test('what steers a clip is found in the layouts that it is published in', async () => {
  const root = await temporaryFolder()
  cpSync(tiny('controlnet-tiny'), join(root, 'a-depth'), { recursive: true })
  const { weights } = await openCheckpoint(tiny('controlnet-tiny'))
  await writeWeights(join(root, 'b-canny.safetensors'), weights.values())
  cpSync(tiny('sparsectrl-scribble'), join(root, 'c-scribble'), { recursive: true })
  cpSync(ipAdapter, join(root, 'd-models/plus.safetensors'))
  cpSync(tiny('ip-image-encoder'), join(root, 'd-models/image_encoder'), { recursive: true })
  cpSync(ipAdapter, join(root, 'e-alone/alone.safetensors'))
  const base = { crossAttentionDim: 24 }
  const blocks = { ...base, blockOutChannels: [8, 16] }
  const found = await scanOwn(root)
  expect(found.map(({ problem }) => problem)).toEqual(found.map(() => undefined))
  expect(new Map(found.map((entry) => [entry.name, entry]))).toEqual(
    new Map(
      Object.entries({
        'a-depth': { kind: 'controlnet', className: 'ControlNetModel', ...blocks },
        'b-canny': { kind: 'controlnet', className: 'ControlNetModel', ...blocks },
        'c-scribble': { kind: 'sparse-controlnet', className: 'SparseControlNetModel', numFrames: 24, ...blocks },
        plus: { kind: 'ip-adapter', imageEmbeds: { hidden_states: 24 }, hasImageEncoder: true, ...base },
        image_encoder: { kind: 'image-encoder', imageEmbeds: { image_embeds: 20, hidden_states: 24 }, nativeSize: 32 },
        alone: { kind: 'ip-adapter', imageEmbeds: { hidden_states: 24 }, hasImageEncoder: false, ...base },
      }).map(([name, values]) => [name, expect.objectContaining(values) as unknown]),
    ),
  )
})

test('a model says how wide the text is that it looks at', async () => {
  const root = await temporaryFolder()
  cpSync(join(bundledModelsDir(), 'moving-shapes'), join(root, 'model'), { recursive: true })
  cpSync(join(goldens, 'checkpoints/single-file/sd15-tiny.safetensors'), join(root, 'sd15.safetensors'))
  expect((await scanOwn(root)).map(({ crossAttentionDim }) => crossAttentionDim)).toEqual([64, 48])
})

test('a ControlNet of a kind that is not run is listed with its reason', async () => {
  const root = await temporaryFolder()
  cpSync(tiny('controlnet-tiny'), join(root, 'net'), { recursive: true })
  writeTo(join(root, 'net/config.json'), { _class_name: 'ControlNetModel', encoder_hid_dim: 4096 })
  const [net] = await scanOwn(root)
  expect(net).toMatchObject({ kind: 'controlnet', problem: { code: 'bad-model', field: 'encoder_hid_dim' } })
})
