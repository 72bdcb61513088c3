import { cpSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { goldens, temporaryFolder } from '#app/checkpoints/testing.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { bundledModelsDir } from '#main/paths.ts'
import { scanOwn, writeTo } from './test-scan.ts'

const bundled = (name: string): string => join(bundledModelsDir(), name)
const loraFile = join(goldens, 'checkpoints/lora/peft.safetensors')
const motionFile = join(goldens, 'checkpoints/single-file/mm_tiny_v15_v2.safetensors')

const ones = (...shape: number[]): Tensor => float32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1))

async function write(file: string, ...keys: string[]): Promise<void> {
  mkdirSync(join(file, '..'), { recursive: true })
  await writeSafetensors(file, Object.fromEntries(keys.map((key) => [key, ones(4, 4)])))
}

const shown = async (root: string): Promise<string[]> =>
  (await scanOwn(root)).map(({ name, kind, problem }) => `${name}: ${kind}${problem ? `, ${problem.message}` : ''}`)

test("a web UI's own config.json hides none of the models below it", async () => {
  const root = await temporaryFolder()
  writeTo(join(root, 'config.json'), { samples_save: true })
  cpSync(loraFile, join(root, 'models/Lora/night.safetensors'))
  cpSync(motionFile, join(root, 'extensions/sd-webui-animatediff/model/mm.safetensors'))
  expect(await shown(root)).toEqual(['mm: motion-adapter', 'night: lora'])
})

test('files beside the weights of a folder are found, and its own are no finds of their own', async () => {
  const root = await temporaryFolder()
  cpSync(bundled('moving-shapes-motion'), join(root, 'animatelcm'), { recursive: true })
  cpSync(loraFile, join(root, 'animatelcm/AnimateLCM_sd15_t2v_lora.safetensors'))
  cpSync(motionFile, join(root, 'animatelcm/AnimateLCM_sd15_t2v.safetensors'))
  expect(await shown(root)).toEqual([
    'animatelcm: motion-adapter',
    'AnimateLCM_sd15_t2v: motion-adapter',
    'AnimateLCM_sd15_t2v_lora: lora',
  ])
})

test("what was trained into a pipeline's folder is found, and its parts are no finds of their own", async () => {
  const root = await temporaryFolder()
  const pipeline = join(root, 'mine')
  cpSync(bundled('moving-shapes'), pipeline, { recursive: true })
  cpSync(loraFile, join(pipeline, 'pytorch_lora_weights.safetensors'))
  cpSync(loraFile, join(pipeline, 'checkpoint-500/pytorch_lora_weights.safetensors'))
  cpSync(bundled('moving-shapes-motion'), join(pipeline, 'motion'), { recursive: true })
  // SDXL is published so: a folder for another runtime, which the index does not name.
  writeTo(join(pipeline, 'vae_decoder/config.json'), { _class_name: 'AutoencoderKL' })
  writeTo(join(pipeline, 'vae_decoder/model.onnx'), 'onnx')
  expect(await shown(root)).toEqual([
    'mine: stable-diffusion',
    'checkpoint-500: lora',
    'motion: motion-adapter',
    'mine: lora',
  ])
})

test("the checkpoints in a trainer's folder are found, without what it keeps to go on later", async () => {
  const root = await temporaryFolder()
  for (const place of ['run', 'run/checkpoint-100', 'run/checkpoint-200']) {
    cpSync(bundled('moving-shapes-timesformer'), join(root, place), { recursive: true })
    for (const name of ['optimizer.pt', 'scheduler.pt', 'training_args.bin', 'rng_state.pth'])
      cpSync(join(goldens, 'checkpoints/demo-lora/pytorch_lora_weights.bin'), join(root, place, name))
  }
  expect(await shown(root)).toEqual([
    'run: video-classifier',
    'checkpoint-100: video-classifier',
    'checkpoint-200: video-classifier',
  ])
})

test('whatever looks like a model and cannot be used is listed with its reason', async () => {
  const root = await temporaryFolder()
  writeTo(join(root, 'a-pipeline/model_index.json'), { _class_name: 'LattePipeline', unet: ['diffusers', 'x'] })
  writeTo(join(root, 'a-pipeline/unet/config.json'), { _class_name: 'UNet3DConditionModel' })
  writeTo(join(root, 'b-classifier/config.json'), { architectures: ['VideoMAEForVideoClassification'] })
  writeTo(join(root, 'c-type-only/config.json'), { model_type: 'videomae', architectures: null })
  cpSync(bundled('moving-shapes/unet'), join(root, 'd-part'), { recursive: true })
  writeTo(join(root, 'e-broken/config.json'), '{"_class_name": "MotionAdapter", "scale": ')
  await write(join(root, 'e-broken/diffusion_pytorch_model.safetensors'), 'a.weight')
  await write(join(root, 'f.safetensors'), 'controlnet_cond_embedding.conv_in.weight', 'a.motion_modules.0')
  await write(join(root, 'g.safetensors'), 'decoder.up.0.block.0.conv1.weight')
  await write(join(root, 'h.safetensors'), 'down_blocks.0.temporal_attentions.0.proj_in.weight')
  await write(join(root, 'i.safetensors'), 'some.weight')
  writeTo(join(root, 'j.gguf'), 'GGUF\x03')
  expect((await shown(root)).map((line) => line.replace(root, ''))).toEqual([
    'a-pipeline: other, Latte pipeline: not supported yet.',
    'b-classifier: other, VideoMAEForVideoClassification: not supported yet.',
    'c-type-only: other, videomae: not supported yet.',
    'd-part: other, UNet2DConditionModel: a part of a pipeline, which does nothing alone. Give the folder around it, with its model_index.json.',
    expect.stringMatching(/^e-broken: other, .*config\.json cannot be read: it is not valid JSON/),
    'f: other, f.safetensors is a SparseCtrl without its config.json, which cannot be used here.',
    "g: vae, /g.safetensors holds no autoencoder with LDM's keys.",
    'h: other, h.safetensors is a HotshotXL motion module (for Stable Diffusion XL), which cannot be used here.',
    'i: other, i.safetensors holds nothing that is known, which cannot be used here.',
    expect.stringMatching(/^j: other, .*j\.gguf is a GGUF file/),
  ])
})

test('a classifier is known by its model_type where no class is named', async () => {
  const root = await temporaryFolder()
  cpSync(bundled('moving-shapes-timesformer'), join(root, 'ts'), { recursive: true })
  writeTo(join(root, 'ts/config.json'), { model_type: 'timesformer', image_size: 64, num_frames: 8 })
  expect(await shown(root)).toEqual(['ts: video-classifier'])
})

test('ids in the hub cache are the same for each revision, and no two are equal', async () => {
  const [root, other] = [await temporaryFolder(), await temporaryFolder()]
  const fill = async (hub: string, revision: string): Promise<void> => {
    const snapshot = join(hub, 'models--latent-consistency--lcm-lora-sdv1-5/snapshots', revision)
    for (const name of [
      'pytorch_lora_weights.safetensors',
      'a/x.safetensors',
      'b/x.safetensors',
      'my lora.safetensors',
      'my-lora.safetensors',
      'x.safetensors',
    ])
      await write(join(snapshot, name), `unet.${basename(name)}.lora_A.weight`, `unet.${basename(name)}.lora_B.weight`)
    cpSync(join(goldens, 'checkpoints/demo-lora/pytorch_lora_weights.bin'), join(snapshot, 'x.bin'))
  }
  await fill(root, 'aaaa')
  await fill(other, 'bbbb')
  const ids = async (hub: string): Promise<string[]> => (await scanOwn(hub)).map(({ id }) => id)
  const first = await ids(root)
  expect(first).toContain('latent-consistency--lcm-lora-sdv1-5')
  expect(first).toContain('latent-consistency--lcm-lora-sdv1-5--a--x')
  expect(new Set(first).size).toBe(7)
  expect(await ids(other)).toEqual(first)
  // A snapshot that is named itself has the same ids, and the two caches together have no id twice.
  expect(await ids(join(other, 'models--latent-consistency--lcm-lora-sdv1-5/snapshots/bbbb'))).toEqual(first)
  const both = (await scanOwn(root, other)).map(({ id }) => id)
  expect(both.slice(0, 7)).toEqual(first)
  expect(new Set(both).size).toBe(14)
})
