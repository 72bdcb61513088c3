import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { goldens, temporaryFolder } from '../testing.ts'
import type { Weights } from '../weights.ts'
import { writeSafetensors } from '../write.ts'
import { parseLoraKey } from './keys.ts'
import { openLora } from './open-lora.ts'
import { resolveLora } from './resolve.ts'

const at = (name: string): string => join(goldens, 'checkpoints/lora', name)

const attention = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1'
test.each([
  [`unet.${attention}.to_q.lora_A.weight`, 'denoiser', `${attention}.to_q`, 'down'],
  [`unet.${attention}.to_q.lora_B.default.weight`, 'denoiser', `${attention}.to_q`, 'up'],
  [`base_model.model.${attention}.to_q.lora_A.weight`, 'denoiser', `${attention}.to_q`, 'down'],
  [`${attention}.processor.to_out_lora.up.weight`, 'denoiser', `${attention}.to_out.0`, 'up'],
  [`unet.${attention}.to_out.0.lora.down.weight`, 'denoiser', `${attention}.to_out.0`, 'down'],
  [`unet.base_model.model.${attention}.to_q.lora_A.weight`, 'denoiser', `${attention}.to_q`, 'down'],
  [`diffusion_model.${attention}.to_q.lora_A.weight`, 'denoiser', `${attention}.to_q`, 'down'],
  [`model.diffusion_model.${attention}.to_q.lora_up.weight`, 'denoiser', `${attention}.to_q`, 'up'],
  [`module.unet.${attention}.to_q.lora.up.weight`, 'denoiser', `${attention}.to_q`, 'up'],
  [
    `lycoris_${attention.replaceAll('.', '_')}_to_q.lora_down.weight`,
    'denoiser',
    `${attention.replaceAll('.', '_')}_to_q`,
    'down',
  ],
  ['transformer.transformer_blocks.0.attn1.to_k.lora_A.weight', 'denoiser', 'transformer_blocks.0.attn1.to_k', 'down'],
  [
    'module.mid_block.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.1.processor.to_v_lora.down.weight',
    'denoiser',
    'mid_block.motion_modules.0.transformer_blocks.0.attn2.to_v',
    'down',
  ],
  ['lora_unet_mid_block_resnets_0_conv1.lora_mid.weight', 'denoiser', 'mid_block_resnets_0_conv1', 'mid'],
  ['lora_te_text_model_encoder_layers_0_mlp_fc1.alpha', 'text_encoder', 'text_model_encoder_layers_0_mlp_fc1', 'alpha'],
  ['lora_te2_text_projection.lora_up.weight', 'text_encoder_2', 'text_projection', 'up'],
  [
    'text_encoder.text_model.encoder.layers.0.self_attn.to_out_lora.up.weight',
    'text_encoder',
    'text_model.encoder.layers.0.self_attn.out_proj',
    'up',
  ],
  [
    'text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.up.weight',
    'text_encoder',
    'text_model.encoder.layers.0.self_attn.q_proj',
    'up',
  ],
])('%s', (key, part, path, role) => {
  expect(parseLoraKey(key)).toEqual({ part, path, role })
})

const values = (...shape: number[]): Tensor =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  )

async function loraOf(tensors: Record<string, Tensor>, metadata?: Record<string, string>): Promise<string> {
  const file = join(await temporaryFolder(), 'some.safetensors')
  await writeSafetensors(file, tensors, metadata)
  return file
}
const pair = (name: string, rank = 2): Record<string, Tensor> => ({
  [`${name}.lora_down.weight`]: values(rank, 4),
  [`${name}.lora_up.weight`]: values(4, rank),
})

test('the strength is alpha by rank, and 1 without an alpha', async () => {
  const { layers } = await openLora(
    await loraOf({ ...pair('lora_unet_a'), ...pair('lora_unet_b'), 'lora_unet_a.alpha': float32([], [3]) }),
  )
  expect(Object.fromEntries(layers.map(({ path, layer }) => [path, layer.factor]))).toEqual({ a: 1.5, b: 1 })
})

test('the settings that PEFT keeps in the header or beside the file', async () => {
  const { layers } = await openLora(at('peft-meta.safetensors'))
  const factorOf = (path: string): number => layers.find((layer) => layer.path === path)!.layer.factor
  expect(factorOf('down_blocks.0.resnets.0.conv1')).toBeCloseTo(3 / Math.sqrt(4))
  expect(factorOf('down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q')).toBeCloseTo(11 / Math.sqrt(2))

  const folder = join(await temporaryFolder(), 'adapter')
  await mkdir(folder)
  const file = join(folder, 'adapter_model.safetensors')
  await writeSafetensors(file, {
    'base_model.model.a.lora_A.weight': values(2, 4),
    'base_model.model.a.lora_B.weight': values(4, 2),
  })
  await writeFile(join(folder, 'adapter_config.json'), '{"peft_type": "LORA", "lora_alpha": 8}')
  expect((await openLora(file)).layers.map(({ path, layer }) => [path, layer.factor])).toEqual([['a', 4]])
})

test.each([
  ['a key of no kind', { ...pair('lora_unet_a'), 'bundle_emb.x': values(2) }, /"bundle_emb.x" is a name that no kind/],
  ['half a pair', { 'lora_unet_a.lora_down.weight': values(2, 4) }, /the layer "a" has no up weight/],
  [
    'two ranks',
    { 'lora_unet_a.lora_down.weight': values(2, 4), 'lora_unet_a.lora_up.weight': values(4, 3) },
    /ranks 2 and 3/,
  ],
  ['a LoHa that lacks a factor', { 'lora_unet_a.hada_w1_a': values(2, 4) }, /"a" has no hada_w1_b weight/],
  ['a LoKr that lacks a factor', { 'lora_unet_a.lokr_w1': values(2, 4) }, /has no lokr_w2 or lokr_w2_a weight/],
  [
    'a GLoRA that lacks a factor',
    { 'lora_unet_a.a1.weight': values(2, 4), ...pair('lora_unet_b') },
    /has no a2 weight/,
  ],
  ['a weight without on_input', { 'lora_unet_a.weight': values(2, 4) }, /"lora_unet_a.weight" is a name that no kind/],
  [
    'a magnitude of what is no DoRA',
    { 'lora_unet_a.diff': values(2, 4), 'lora_unet_a.dora_scale': values(4) },
    /the magnitude of a DoRA, which a full difference has not/,
  ],
  ['an alpha that is many', { ...pair('lora_unet_a'), 'lora_unet_a.alpha': values(2) }, /is not one number/],
  ['no LoRA', { 'some.weight': values(2) }, /holds nothing that is known/],
  ['one layer twice', { ...pair('unet.a'), 'unet.a.lora_A.weight': values(2, 4) }, /that it has twice/],
])('refused: %s', async (_, tensors, message) => {
  await expect(openLora(await loraOf(tensors))).rejects.toThrow(message)
})

test('settings that are wrong are refused by name', async () => {
  const file = await loraOf(pair('lora_unet_a'), { lora_adapter_metadata: '{"unet.lora_alpha": "many"}' })
  await expect(openLora(file)).rejects.toThrow(/lora_alpha/)
  const broken = await loraOf(pair('lora_unet_a'), { lora_adapter_metadata: '{' })
  await expect(openLora(broken)).rejects.toThrow(/not valid JSON/)
})

const modelOf = (shapes: Record<string, number[]>): Weights =>
  new Map(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { name, dtype: 'float32' as const, shape, source: { bytes: new Uint8Array() } },
    ]),
  )

test('layers are found with dots or underscores, with or without text_model, and as kernels or matrices', async () => {
  const file = await openLora(
    await loraOf({
      ...pair('lora_unet_down_blocks_0_proj_in'),
      ...pair('lora_unet_gone'),
      ...pair('lora_te_text_model_encoder_layers_0_mlp_fc1'),
    }),
  )
  const unet = resolveLora(file, 'denoiser', modelOf({ 'down_blocks.0.proj_in.weight': [4, 4, 1, 1] }))
  expect(unet.layers.get('down_blocks.0.proj_in')?.weights.down?.shape).toEqual([2, 4, 1, 1])
  expect(unet.unused).toEqual(['gone'])
  const text = resolveLora(file, 'text_encoder', modelOf({ 'encoder.layers.0.mlp.fc1.weight': [4, 4] }))
  expect([...text.layers.keys()]).toEqual(['encoder.layers.0.mlp.fc1'])
})

test.each([
  'unet.base_model.model.down_blocks.0.proj_in',
  'diffusion_model.down_blocks.0.proj_in',
  'model.diffusion_model.down_blocks.0.proj_in',
  'lycoris_down_blocks_0_proj_in',
])('the layer of %s is found in the model it was made for', async (name) => {
  const { layers, unused } = resolveLora(
    await openLora(await loraOf(pair(name))),
    'denoiser',
    modelOf({ 'down_blocks.0.proj_in.weight': [4, 4] }),
  )
  expect([[...layers.keys()], unused]).toEqual([['down_blocks.0.proj_in'], []])
})

test.each([
  ['a LoHa', { 'lycoris_a.hada_w1_a': values(4, 2), 'lycoris_a.hada_w1_b': values(2, 4) }, 'lycoris_a.hada_w2'],
])('%s of another model is told by its shapes', async (_, tensors, second) => {
  const whole = { ...tensors, [`${second}_a`]: values(4, 2), [`${second}_b`]: values(2, 4) }
  const file = await openLora(await loraOf(whole))
  expect(() => resolveLora(file, 'denoiser', modelOf({ 'a.weight': [4, 5] }))).toThrow(
    /"lycoris_a.hada_w1_b" has shape \(2, 4\), where the model's layer "a" asks for \(2, 5\)/,
  )
})

test('another model is told by the layers or by their shapes', async () => {
  const file = await openLora(await loraOf(pair('lora_unet_a')))
  expect(() => resolveLora(file, 'denoiser', modelOf({ 'b.weight': [4, 4] }))).toThrow(/none of this LoRA's 1 layers/)
  expect(() => resolveLora(file, 'denoiser', modelOf({ 'a.weight': [4, 5] }))).toThrow(
    /"lora_unet_a.lora_down.weight" has shape \(2, 4\), where the model's layer "a" asks for \(2, 5\)/,
  )
})
