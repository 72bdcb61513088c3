import { join } from 'node:path'
import { expect, test } from 'vitest'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { openWeightsFile } from '../open.ts'
import { readWeight } from '../read.ts'
import { goldens, temporaryFolder } from '../testing.ts'
import type { Weight } from '../weights.ts'
import { writeSafetensors, writeWeights } from '../write.ts'
import { openMotionModule } from './motion-module.ts'

const published = join(goldens, 'checkpoints/single-file/mm_tiny_v15_v2.safetensors')
const unetFolder = join(goldens, 'checkpoints/unet2d-sd/diffusion_pytorch_model.safetensors')

const zeros = (...shape: number[]): Tensor =>
  float32(shape, new Float32Array(shape.reduce((product, size) => product * size, 1)))

async function weightsOf(file: string, prefix: string): Promise<Weight[]> {
  const { weights } = await openWeightsFile(file)
  return [...weights.values()].map((weight) => ({ ...weight, name: prefix + weight.name }))
}

async function fileOf(weights: Iterable<Weight>): Promise<string> {
  const file = join(await temporaryFolder(), 'some.safetensors')
  await writeWeights(file, weights)
  return file
}

test.each(['module.', 'unet.', 'module.unet.', 'model.unet.', '_orig_mod.', 'motion_module.', 'a.b.c.'])(
  'the prefix %s makes no difference',
  async (prefix) => {
    const plain = await openMotionModule(published)
    const { config, weights } = await openMotionModule(await fileOf(await weightsOf(published, prefix)))
    expect(config).toEqual(plain.config)
    expect([...weights.keys()].sort()).toEqual([...plain.weights.keys()].sort())
    const key = 'down_blocks.0.motion_modules.0.proj_in.weight'
    expect((await readWeight(weights.get(key)!)).data).toEqual((await readWeight(plain.weights.get(key)!)).data)
  },
)

test('of a training checkpoint with the whole UNet, the motion alone is taken', async () => {
  const plain = await openMotionModule(published)
  const all = [...(await weightsOf(unetFolder, 'module.')), ...(await weightsOf(published, 'module.'))]
  const { config, weights } = await openMotionModule(await fileOf(all))
  expect(config).toEqual(plain.config)
  expect([...weights.keys()].sort()).toEqual([...plain.weights.keys()].sort())
})

test('of several copies the first counts', async () => {
  const plain = await openMotionModule(published)
  const all = [...(await weightsOf(published, 'unet.')), ...(await weightsOf(published, 'ema_unet.'))]
  const { weights } = await openMotionModule(await fileOf(all))
  expect([...weights.keys()].sort()).toEqual([...plain.weights.keys()].sort())
})

test("PIA's first convolution is told of, in a file of its own and in a whole UNet", async () => {
  const { weights } = await openWeightsFile(published)
  const convIn = (channels: number): Weight => {
    const shape = [32, channels, 3, 3]
    return { name: 'conv_in.weight', dtype: 'float32', shape, source: { bytes: new Uint8Array(32 * channels * 36) } }
  }
  const alone = await openMotionModule(await fileOf([...weights.values(), convIn(9)]))
  expect(alone.config.conv_in_channels).toBe(9)
  const unet = (await weightsOf(unetFolder, '')).filter(({ name }) => name !== 'conv_in.weight')
  const whole = await openMotionModule(await fileOf([...unet, ...weights.values(), convIn(9)]))
  expect(whole.config.conv_in_channels).toBe(9)
})

test.each([
  [['up_blocks.0.motion_modules.0.temporal_transformer.proj_in.weight'], /none of down_blocks; it is incomplete/],
  [['motion_modules.0.proj_in.weight'], /none of down_blocks; it is incomplete/],
  [
    ['down_blocks.0.temporal_attentions.0.proj_in.weight'],
    /holds a HotshotXL motion module \(for Stable Diffusion XL\)/,
  ],
  [['x.pos_encoder.positional_encoding'], /holds a HotshotXL motion module/],
  [['img_encoder.a.weight', 'down_blocks.0.motion_modules.0.proj_in.weight'], /holds an AnimateLCM-I2V motion module/],
  [['controlnet_cond_embedding.a.weight', 'down_blocks.0.motion_modules.0.proj_in.weight'], /holds a SparseCtrl/],
  [['down_blocks.0.temp_convs.0.conv1.0.weight'], /holds a text-to-video UNet of ModelScope's kind/],
  [['down_blocks.0.attentions.0.temporal_transformer_blocks.0.norm1.weight'], /holds a Stable Video Diffusion model/],
])('another family is named: %s', async (keys, message) => {
  const file = join(await temporaryFolder(), 'some.safetensors')
  await writeSafetensors(file, Object.fromEntries(keys.map((key) => [key, zeros(4, 4)])))
  await expect(openMotionModule(file)).rejects.toThrow(message)
})
