import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../folder.ts'
import { goldens, temporaryFolder } from '../testing.ts'
import type { Weight, Weights } from '../weights.ts'
import { writeWeights } from '../write.ts'
import { openControlNetFile } from './controlnet.ts'
import { ldmUnetLayer } from './ldm-unet.ts'

const folder = join(goldens, 'pipelines/checkpoints/controlnet-tiny')

/** The names that lllyasviel's own files have, of a network with one residual layer in each of two blocks. */
const own: Readonly<Record<string, string>> = {
  'controlnet_cond_embedding.conv_in': 'input_hint_block.0',
  'controlnet_cond_embedding.blocks.0': 'input_hint_block.2',
  'controlnet_cond_embedding.blocks.1': 'input_hint_block.4',
  'controlnet_cond_embedding.conv_out': 'input_hint_block.6',
  controlnet_mid_block: 'middle_block_out.0',
  ...Object.fromEntries([0, 1, 2, 3].map((i) => [`controlnet_down_blocks.${i}`, `zero_convs.${i}.0`])),
}
const places = ['time_embed.0', 'time_embed.2', 'input_blocks.0.0', 'input_blocks.2.0.op']
const resnet = ['in_layers.0', 'in_layers.2', 'emb_layers.1', 'out_layers.0', 'out_layers.3', 'skip_connection']
for (const block of ['input_blocks.1.0', 'input_blocks.3.0', 'middle_block.0', 'middle_block.2'])
  places.push(...resnet.map((layer) => `${block}.${layer}`))
const unet = new Map(places.map((place) => [ldmUnetLayer(place, 1)!, place]))

function ldmName(key: string): string {
  const dot = key.lastIndexOf('.')
  const [layer, rest] = [key.slice(0, dot), key.slice(dot)]
  const attention = /^(down_blocks\.0\.attentions\.0|mid_block\.attentions\.0)\.(.+)$/.exec(layer)
  if (attention)
    return `${attention[1]!.startsWith('down') ? 'input_blocks.1.1' : 'middle_block.1'}.${attention[2]}${rest}`
  return `${own[layer] ?? unet.get(layer) ?? layer}${rest}`
}

async function fileOf(weights: Weights, name: (key: string) => string): Promise<string> {
  const file = join(await temporaryFolder(), 'control_v11p_sd15_canny.safetensors')
  await writeWeights(
    file,
    [...weights].map(([key, weight]): Weight => ({ ...weight, name: name(key) })),
  )
  return file
}

test.each([
  ['as they were published', (key: string) => `control_model.${ldmName(key)}`],
  ['without the prefix', ldmName],
  ["with diffusers' own names", (key: string) => key],
])('a ControlNet in one file, %s, has the weights and the shape of the folder', async (_, name) => {
  const { config, weights } = await openCheckpoint(folder)
  const file = await openControlNetFile(await fileOf(weights, name))
  expect([...file.weights.keys()].sort()).toEqual([...weights.keys()].sort())
  for (const key of ['block_out_channels', 'layers_per_block', 'down_block_types', 'cross_attention_dim'])
    expect(file.config[key]).toEqual(config[key])
  for (const key of ['in_channels', 'conditioning_channels', 'conditioning_embedding_out_channels'])
    expect(file.config[key]).toEqual(config[key])
})

test('a file of another kind and a SparseCtrl are refused by what they are', async () => {
  await expect(openControlNetFile(join(goldens, 'checkpoints/lora/kohya.safetensors'))).rejects.toThrow(/holds a LoRA/)
  const { weights } = await openCheckpoint(join(goldens, 'pipelines/checkpoints/sparsectrl-scribble'))
  await expect(openControlNetFile(await fileOf(weights, (key) => key))).rejects.toThrow(/a SparseCtrl/)
})

test('a file that lacks a weight says which', async () => {
  const { weights } = await openCheckpoint(folder)
  const cut = new Map([...weights].filter(([key]) => key !== 'conv_in.weight'))
  await expect(openControlNetFile(await fileOf(cut, ldmName))).rejects.toThrow('no weight "conv_in.weight"')
})
