import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { bundledModelsDir } from '#main/paths.ts'
import { scan, writeTo } from './test-scan.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'frameloom-scan-'))
})
afterAll(() => rmSync(root, { recursive: true }))

const write = (path: string, content: unknown): void => writeTo(join(root, path), content)

test('finds the bundled models', async () => {
  const models = await scan()
  expect(models.map(({ id, kind, problem }) => ({ id, kind, problem }))).toEqual([
    { id: 'moving-shapes', kind: 'stable-diffusion', problem: undefined },
    { id: 'moving-shapes-motion', kind: 'motion-adapter', problem: undefined },
    { id: 'moving-shapes-timesformer', kind: 'video-classifier', problem: undefined },
  ])
  const [pipeline, adapter, classifier] = models
  expect(pipeline).toMatchObject({
    className: 'StableDiffusionPipeline',
    precision: 'float32',
    demo: true,
    needsMotionAdapter: true,
    blockOutChannels: [32, 64],
    nativeSize: 64,
    sizeMultiple: 8,
    suggested: { numFrames: 8, guidanceScale: 4 },
  })
  expect(pipeline!.bytes).toBeGreaterThan(4e6)
  expect(adapter).toMatchObject({ blockOutChannels: [32, 64], numFrames: 24, needsMotionAdapter: false })
  expect(classifier).toMatchObject({ numFrames: 8, numLabels: 31, nativeSize: 64 })
})

test('finds hub snapshots by refs/main, through links, and lists each folder once', async () => {
  const repository = join(root, 'hub/models--some-org--motion')
  for (const revision of ['aaa', 'bbb'])
    cpSync(join(bundledModelsDir(), 'moving-shapes-motion'), join(repository, 'snapshots', revision), {
      recursive: true,
    })
  write('hub/models--some-org--motion/refs/main', 'aaa\n')
  symlinkSync(repository, join(root, 'hub/again'))
  const models = (await scan(join(root, 'hub'))).filter((model) => !model.demo)
  expect(models.map((model) => model.name)).toEqual(['some-org/motion'])
  expect(models[0]).toMatchObject({ id: 'some-org--motion', location: expect.stringMatching(/aaa$/) })
})

test('ids of plain folders stay the same, and equal names stay apart', async () => {
  for (const place of ['one', 'two'])
    cpSync(join(bundledModelsDir(), 'moving-shapes-motion'), join(root, 'plain', place, 'motion'), { recursive: true })
  const first = (await scan(join(root, 'plain'))).map((model) => model.id)
  const second = (await scan(join(root, 'plain/two'), join(root, 'plain'))).map((model) => model.id)
  expect(new Set(first).size).toBe(5)
  expect(first.toSorted()).toEqual(second.toSorted())
})

test('broken folders come back with a problem that names the file and what is wrong', async () => {
  const copy = (name: string): void =>
    cpSync(join(bundledModelsDir(), 'moving-shapes'), join(root, 'broken', name), { recursive: true })
  copy('bad-index')
  write('broken/bad-index/model_index.json', '{ "_class_name": ')
  copy('cut-weights')
  write('broken/cut-weights/unet/diffusion_pytorch_model.safetensors', 'version https://git-lfs.github.com/spec/v1\n')
  copy('no-vae')
  rmSync(join(root, 'broken/no-vae/vae'), { recursive: true })
  copy('no-tokenizer')
  rmSync(join(root, 'broken/no-tokenizer/tokenizer/vocab.json'))
  write('broken/adapter/config.json', { _class_name: 'MotionAdapter', block_out_channels: 'wide' })
  write('broken/lone-unet/config.json', { _class_name: 'UNetMotionModel', block_out_channels: [8] })
  write('broken/sdxl/model_index.json', { _class_name: 'StableDiffusionXLPipeline' })
  write('broken/not-ours/config.json', { architectures: ['BertModel'] })
  write('broken/not-json/config.json', 'hello')
  write('broken/proto/config.json', '{"__proto__": {"_class_name": "MotionAdapter"}}')

  const models = (await scan(join(root, 'broken'))).filter((model) => !model.demo)
  const problems = Object.fromEntries(models.map((model) => [model.name, model.problem?.message ?? '']))
  expect(Object.keys(problems)).toEqual([
    'adapter',
    'bad-index',
    'cut-weights',
    'lone-unet',
    'no-tokenizer',
    'no-vae',
    'not-ours',
    'sdxl',
  ])
  expect(problems['adapter']).toMatch(/adapter.config\.json: block_out_channels/)
  expect(problems['bad-index']).toMatch(/model_index\.json.*JSON/)
  expect(problems['cut-weights']).toMatch(/Git LFS/)
  expect(problems['lone-unet']).not.toBe('')
  expect(problems['no-tokenizer']).toMatch(/tokenizer.vocab\.json/)
  expect(problems['no-vae']).toMatch(/vae/)
  expect(problems['not-ours']).toBe('BertModel: not supported yet.')
  expect(problems['sdxl']).toMatch(/sdxl.unet.config\.json cannot be found/)
})

test('a checkpoint whose scheduler no run can have says so, and one that takes few steps is usable', async () => {
  const configs = {
    deis: { _class_name: 'DEISMultistepScheduler' },
    noise: { _class_name: 'DDIMScheduler', beta_schedule: 'exponential' },
    few: { _class_name: 'LCMScheduler', original_inference_steps: 4 },
    unnamed: {},
  }
  for (const [name, config] of Object.entries(configs)) {
    cpSync(join(bundledModelsDir(), 'moving-shapes'), join(root, 'schedulers', name), { recursive: true })
    write(`schedulers/${name}/scheduler/scheduler_config.json`, config)
  }
  const models = (await scan(join(root, 'schedulers'))).filter((model) => !model.demo)
  expect(models.map(({ name, problem }) => [name, problem?.code, problem?.field])).toEqual([
    ['deis', 'bad-model', '_class_name'],
    ['few', undefined, undefined],
    ['noise', 'bad-model', 'beta_schedule'],
    ['unnamed', undefined, undefined],
  ])
  expect(models[0]!.problem!.message).toMatch(/DEISMultistepScheduler is not supported\. Supported: DDIMScheduler/)
})

test('a folder that does not exist holds nothing', async () => {
  expect((await scan(join(root, 'nowhere'))).every((model) => model.demo)).toBe(true)
})

test('finds LoRA files, and says of one that cannot be used why', async () => {
  const loras = join(import.meta.dirname, '../../../e2e/goldens/checkpoints/lora')
  mkdirSync(join(root, 'loras/style'), { recursive: true })
  cpSync(join(loras, 'peft.safetensors'), join(root, 'loras/style/night.safetensors'))
  await writeSafetensors(join(root, 'loras/other.safetensors'), {
    'lora_unet_a.hada_w1_a': float32([1, 1], [1]),
  })
  const models = (await scan(join(root, 'loras'))).filter((model) => !model.demo)
  expect(models).toMatchObject([
    { name: 'other', kind: 'lora', problem: { code: 'bad-model', message: expect.stringMatching(/no hada_w1_b/) } },
    { name: 'night', kind: 'lora', className: 'LoRA', precision: 'float32', needsMotionAdapter: false },
  ])
  expect(models[1]).not.toHaveProperty('problem')
  expect(models[1]!.id).toMatch(/^night-[0-9a-f]{8}$/)
  expect(models[1]!.bytes).toBeGreaterThan(0)
})

test('finds LoRAs and Custom Diffusion weights as PyTorch saves them, under the name of their folder', async () => {
  const checkpoints = join(import.meta.dirname, '../../../e2e/goldens/checkpoints')
  for (const name of ['demo-lora', 'demo-custom-diffusion', 'custom-diffusion'])
    cpSync(join(checkpoints, name), join(root, 'trained', name), { recursive: true })
  // What is none of ours, or no PyTorch file at all, is passed over; by name it is told what it is.
  write('trained/vectors.bin', 'no zip')
  write('trained/model.pt', 'version https://git-lfs.github.com/spec/v1\n')
  const models = (await scan(join(root, 'trained'))).filter((model) => !model.demo)
  expect(models.map(({ name, kind, className, problem }) => ({ name, kind, className, problem }))).toEqual([
    { name: 'custom-diffusion', kind: 'custom-diffusion', className: 'CustomDiffusion', problem: undefined },
    { name: 'demo-custom-diffusion', kind: 'custom-diffusion', className: 'CustomDiffusion', problem: undefined },
    { name: 'demo-lora', kind: 'lora', className: 'LoRA', problem: undefined },
  ])
  expect(models.every(({ bytes, precision }) => bytes > 0 && precision === 'float32')).toBe(true)
  const named = (await scan(join(root, 'trained/model.pt'))).filter((model) => !model.demo)
  expect(named).toMatchObject([{ name: 'model', problem: { message: expect.stringMatching(/Git LFS/) } }])
  for (const [name, head, says] of [
    ['model.onnx', '\x08\x07\x12\x07pytorch', /model\.onnx is an ONNX model/],
    ['model.gguf', 'GGUF\x03', /model\.gguf is a GGUF file/],
    ['model.safetensors.part', '\xde\xad', /has not the extension of a weights file/],
  ] as const) {
    write(`trained/${name}`, head)
    const [other] = (await scan(join(root, `trained/${name}`))).filter((model) => !model.demo)
    expect(other, name).toMatchObject({ problem: { message: expect.stringMatching(says) } })
  }
})
