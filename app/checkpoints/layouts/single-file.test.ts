import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ProblemError } from '#app/contract/errors.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { openWeightsFile } from '../open.ts'
import { readWeight } from '../read.ts'
import { goldens, processorMs, temporaryFolder } from '../testing.ts'
import type { Weight } from '../weights.ts'
import { writeSafetensors, writeWeights } from '../write.ts'
import { ldmUnetLayer } from './ldm-unet.ts'
import { ldmVaeKey } from './ldm-vae.ts'
import { motionModulePath, openMotionModule } from './motion-module.ts'
import { openSingleFile, partOf } from './single-file.ts'

const at = (name: string): string => join(goldens, 'checkpoints/single-file', name)

const zeros = (...shape: number[]): Tensor =>
  float32(shape, new Float32Array(shape.reduce((product, size) => product * size, 1)))

async function fileOf(shapes: Readonly<Record<string, readonly number[]>>): Promise<string> {
  const file = join(await temporaryFolder(), 'some.safetensors')
  await writeSafetensors(file, Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, zeros(...shape)])))
  return file
}

test.each([
  ['time_embed.2', 'time_embedding.linear_2'],
  ['label_emb.0.0', 'add_embedding.linear_1'],
  ['input_blocks.0.0', 'conv_in'],
  ['input_blocks.1.0.in_layers.2', 'down_blocks.0.resnets.0.conv1'],
  ['input_blocks.3.0.op', 'down_blocks.0.downsamplers.0.conv'],
  ['input_blocks.5.1.transformer_blocks.0.attn1.to_q', 'down_blocks.1.attentions.1.transformer_blocks.0.attn1.to_q'],
  ['input_blocks.11.0.emb_layers.1', 'down_blocks.3.resnets.1.time_emb_proj'],
  ['middle_block.1.proj_in', 'mid_block.attentions.0.proj_in'],
  ['middle_block.2.out_layers.3', 'mid_block.resnets.1.conv2'],
  ['output_blocks.2.1.conv', 'up_blocks.0.upsamplers.0.conv'],
  ['output_blocks.5.2.conv', 'up_blocks.1.upsamplers.0.conv'],
  ['output_blocks.11.0.skip_connection', 'up_blocks.3.resnets.2.conv_shortcut'],
  ['out.2', 'conv_out'],
  ['input_blocks.1.0.something_else', undefined],
  ['strange.layer', undefined],
])('the UNet layer %s is %s', (ldm, diffusers) => {
  expect(ldmUnetLayer(ldm, 2)).toBe(diffusers)
})

test.each([
  ['encoder.down.1.block.0.nin_shortcut.weight', 'encoder.down_blocks.1.resnets.0.conv_shortcut.weight'],
  ['encoder.down.0.downsample.conv.bias', 'encoder.down_blocks.0.downsamplers.0.conv.bias'],
  ['decoder.up.3.block.2.conv1.weight', 'decoder.up_blocks.0.resnets.2.conv1.weight'],
  ['decoder.up.1.upsample.conv.weight', 'decoder.up_blocks.2.upsamplers.0.conv.weight'],
  ['decoder.mid.block_2.norm1.weight', 'decoder.mid_block.resnets.1.norm1.weight'],
  ['encoder.mid.attn_1.norm.weight', 'encoder.mid_block.attentions.0.group_norm.weight'],
  ['encoder.mid.attn_1.proj_out.bias', 'encoder.mid_block.attentions.0.to_out.0.bias'],
  ['decoder.norm_out.weight', 'decoder.conv_norm_out.weight'],
  ['quant_conv.weight', 'quant_conv.weight'],
])('the autoencoder key %s is %s', (ldm, diffusers) => {
  expect(ldmVaeKey(ldm, 4)).toBe(diffusers)
})

test('motion modules of the original layout', () => {
  const block = 'down_blocks.0.motion_modules.1'
  const original = `${block}.temporal_transformer.transformer_blocks.0`
  expect(motionModulePath(`module.${original}.attention_blocks.1.to_q.weight`)).toBe(
    `${block}.transformer_blocks.0.attn2.to_q.weight`,
  )
  expect(motionModulePath(`${original}.norms.0.bias`)).toBe(`${block}.transformer_blocks.0.norm1.bias`)
  expect(motionModulePath(`${original}.ff_norm.bias`)).toBe(`${block}.transformer_blocks.0.norm3.bias`)
})

test('Stable Diffusion 1.x: all parts are ranges of the file, and configs come from shapes', async () => {
  const single = await openSingleFile(at('sd15-tiny.safetensors'))
  expect(single).toMatchObject({ family: 'sd1', predictionType: 'epsilon' })
  expect(single.schedulerConfig._class_name).toBe('PNDMScheduler')
  expect([...single.unused].sort()).toEqual(['alphas_cumprod', 'model_ema.num_updates'])
  const [unet, vae, text] = (['unet', 'vae', 'text_encoder'] as const).map((name) => partOf(single, name))
  expect(unet!.config).toMatchObject({
    block_out_channels: [32, 32, 32, 32],
    layers_per_block: 2,
    down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
    transformer_layers_per_block: 1,
    cross_attention_dim: 48,
    attention_head_dim: 8,
    use_linear_projection: false,
    in_channels: 4,
  })
  expect(vae!.config).toMatchObject({ latent_channels: 4, layers_per_block: 2, scaling_factor: 0.18215 })
  expect(text!.config).toMatchObject({ vocab_size: 1000, hidden_size: 48, num_hidden_layers: 2 })
  for (const part of [unet!, vae!, text!])
    for (const { source } of part.weights.values()) expect('file' in source).toBe(true)
  expect(vae!.weights.get('decoder.mid_block.attentions.0.to_q.weight')!.shape).toEqual([32, 32])
})

test("2.x: query, key and value are thirds of one range of the file, and the projection is nobody's", async () => {
  const single = await openSingleFile(at('sd2-tiny.safetensors'))
  expect(single).toMatchObject({ family: 'sd2', predictionType: 'epsilon' })
  expect(partOf(single, 'unet').config).toMatchObject({ use_linear_projection: true, attention_head_dim: [1, 1, 1, 1] })
  const { weights } = partOf(single, 'text_encoder')
  const { weights: found } = await openWeightsFile(at('sd2-tiny.safetensors'))
  const whole = found.get('cond_stage_model.model.transformer.resblocks.1.attn.in_proj_weight')!
  const attention = 'text_model.encoder.layers.1.self_attn'
  const parts = ['q_proj', 'k_proj', 'v_proj'].map((name) => weights.get(`${attention}.${name}.weight`)!)
  if (!('file' in whole.source)) throw new Error('must be mapped')
  const { offset, length } = whole.source
  expect(parts.map(({ source }) => 'file' in source && [source.offset, source.length])).toEqual(
    [0, 1, 2].map((i) => [offset + (i * length) / 3, length / 3]),
  )
  expect([...single.unused].sort()).toEqual([
    'cond_stage_model.model.logit_scale',
    'cond_stage_model.model.text_projection',
  ])
  expect(() => partOf(single, 'vae')).toThrow(/holds no autoencoder/)
})

test('XL: two text encoders, and only the transposed projection is in memory', async () => {
  const single = await openSingleFile(at('xl-tiny.safetensors'))
  expect(single.family).toBe('sdxl')
  expect(partOf(single, 'unet').config).toMatchObject({
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
    transformer_layers_per_block: [1, 1, 2],
    addition_embed_type: 'text_time',
    addition_time_embed_dim: 256,
    projection_class_embeddings_input_dim: 1576,
  })
  const second = partOf(single, 'text_encoder_2')
  expect(second.config).toMatchObject({ hidden_size: 80, projection_dim: 40, num_attention_heads: 20 })
  const inMemory = [...second.weights.values()].filter(({ source }) => 'bytes' in source).map(({ name }) => name)
  expect(inMemory).toEqual(['text_projection.weight'])
})

test('what a UNet predicts: by a settings file beside it, by a key, and for 2.x by its own weights', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'model.safetensors')
  await copyFile(at('sd15-tiny.safetensors'), file)
  await writeFile(join(folder, 'model.yaml'), 'model:\n  params:\n    parameterization: "v"\n')
  expect(await openSingleFile(file)).toMatchObject({
    predictionType: 'v_prediction',
    schedulerConfig: { _class_name: 'DDIMScheduler', prediction_type: 'v_prediction' },
  })

  const { weights } = await openWeightsFile(at('sd2-tiny.safetensors'))
  const wide = join(folder, 'wide.safetensors')
  const key = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias'
  const bytes = new Uint8Array(Float32Array.from({ length: 32 }, (_, i) => (i % 2 ? 0.2 : -0.2)).buffer)
  await writeWeights(wide, [
    ...[...weights.values()].filter(({ name }) => name !== key),
    { name: key, dtype: 'float32', shape: [32], source: { bytes } },
  ])
  const velocity = await openSingleFile(wide)
  expect(velocity.predictionType).toBe('v_prediction')
  expect(velocity.parts.unet?.config.sample_size).toBe(96)
  expect((await openSingleFile(at('sd2-tiny.safetensors'))).parts.unet?.config.sample_size).toBe(64)

  const marked = join(folder, 'marked.safetensors')
  const { weights: plain } = await openWeightsFile(at('sd15-tiny.safetensors'))
  await writeWeights(marked, [
    ...plain.values(),
    { name: 'v_pred', dtype: 'float32', shape: [0], source: { bytes: new Uint8Array() } },
  ])
  expect((await openSingleFile(marked)).predictionType).toBe('v_prediction')
})

test('a key that no part knows keeps its name, so that the part is refused by it', async () => {
  const { weights } = await openWeightsFile(at('sd15-tiny.safetensors'))
  const file = join(await temporaryFolder(), 'more.safetensors')
  const name = 'model.diffusion_model.extra.weight'
  await writeWeights(file, [
    ...weights.values(),
    { name, dtype: 'float32', shape: [1], source: { bytes: new Uint8Array(4) } },
  ])
  expect(partOf(await openSingleFile(file), 'unet').weights.has('extra.weight')).toBe(true)
})

test.each([
  [{ 'down_blocks.0.motion_modules.0.temporal_transformer.norm.weight': [4] }, /holds a motion module; a Stable/],
  [{ 'lora_unet_conv_in.lora_down.weight': [2, 4] }, /holds a LoRA; a Stable Diffusion/],
  [{ 'model.diffusion_model.joint_blocks.0.x.weight': [2] }, /holds a Stable Diffusion 3 checkpoint/],
  [{ 'double_blocks.0.img_attn.norm.key_norm.scale': [2] }, /holds a Flux checkpoint/],
  [{ 'model.diffusion_model.input_blocks.0.0.weight': [8, 9, 3, 3] }, /holds a Stable Diffusion inpainting/],
  [{ 'conditioner.embedders.0.model.text_projection': [2] }, /holds a Stable Diffusion XL refiner/],
  [{ 'decoder.up.0.block.0.conv1.weight': [2] }, /holds an autoencoder alone/],
  [{ 'some.weight': [2] }, /holds nothing that is known/],
  [{ 'model.diffusion_model.input_blocks.0.0.weight': [8, 4, 3, 3] }, /its UNet has no weight .*incomplete/],
])('a file that is none is named for what it is: %o', async (shapes, message) => {
  await expect(openSingleFile(await fileOf(shapes))).rejects.toThrow(message)
})

test('mutated keys and shapes are refused in words, and never take time or memory', async () => {
  const seed = 20_240_607
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
  for (const name of ['sd15-tiny', 'sd2-tiny', 'xl-tiny', 'mm_tiny_v15_v2']) {
    const { weights } = await openWeightsFile(at(`${name}.safetensors`))
    const file = join(await temporaryFolder(), 'mutated.safetensors')
    for (let round = 0; round < 40; round++) {
      const mutated = new Map<string, Weight>()
      for (const [key, { shape }] of weights) {
        const [kind, digit] = [random(60), String(10 ** random(16))]
        if (kind === 0) continue
        const renamed = kind === 1 ? key.replace(/\d+/, digit) : kind === 2 ? key.replace(/\w+$/, 'other') : key
        const sizes = kind < 6 ? shape.slice(random(3)).map((size) => (random(2) ? size : random(9))) : [...shape]
        // Nothing has bytes, so that each file is small whatever its shapes say.
        if (sizes.length) sizes[random(sizes.length)] = 0
        const source = { bytes: new Uint8Array(sizes.length ? 0 : 4) }
        mutated.set(renamed, { name: renamed, dtype: 'float32', shape: sizes, source })
      }
      await writeWeights(file, mutated.values())
      const open = name.startsWith('mm') ? openMotionModule : openSingleFile
      let problem: unknown
      const took = await processorMs(() => open(file).catch((error: unknown) => (problem = error)))
      if (problem !== undefined) expect(problem, `seed ${seed}, round ${round}`).toBeInstanceOf(ProblemError)
      expect(took).toBeLessThan(1000)
    }
  }
})

test('a motion module is told by its shapes, and positions are left to be computed', async () => {
  const { config, weights } = await openMotionModule(at('mm_tiny_v15_v2.safetensors'))
  expect(config).toEqual({
    _class_name: 'MotionAdapter',
    block_out_channels: [32, 32, 32, 32],
    motion_layers_per_block: 2,
    motion_transformer_layers_per_block: 1,
    motion_num_attention_heads: 8,
    motion_norm_num_groups: 32,
    motion_max_seq_length: 32,
    use_motion_mid_block: true,
  })
  expect([...weights.keys()].some((key) => key.includes('pos_'))).toBe(false)
  await expect(openMotionModule(at('sd15-tiny.safetensors'))).rejects.toThrow(/holds Stable Diffusion; a motion module/)
})

test('streamed weights are the same file as those written from memory', async () => {
  const { weights } = await openWeightsFile(at('mm_tiny_v15_v2.safetensors'))
  const file = join(await temporaryFolder(), 'copy.safetensors')
  await writeWeights(file, weights.values())
  const copy = await openWeightsFile(file)
  expect([...copy.weights.keys()].sort()).toEqual([...weights.keys()].sort())
  for (const key of [...weights.keys()].slice(0, 20))
    expect((await readWeight(copy.weights.get(key)!)).data).toEqual((await readWeight(weights.get(key)!)).data)
})
