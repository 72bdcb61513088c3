import { ProblemError } from '#app/contract/errors.ts'
import type { Weight, Weights } from '../weights.ts'
import type { Family } from './family.ts'
import { countOf, renamed } from './views.ts'

/**
 * Layers outside the blocks. Source of all names here: diffusers/src/diffusers/loaders/single_file_utils.py@58eb52c.
 */
const outside: Readonly<Record<string, string>> = {
  'time_embed.0': 'time_embedding.linear_1',
  'time_embed.2': 'time_embedding.linear_2',
  'label_emb.0.0': 'add_embedding.linear_1',
  'label_emb.0.2': 'add_embedding.linear_2',
  'input_blocks.0.0': 'conv_in',
  'out.0': 'conv_norm_out',
  'out.2': 'conv_out',
}
const inResnet: Readonly<Record<string, string>> = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  skip_connection: 'conv_shortcut',
}

/**
 * The diffusers path of a layer of LDM's UNet (both without the final .weight or .bias); undefined for a name that is
 * not known. LDM numbers the layers of each half in one row: `layersPerBlock` residual layers and a resampler make one
 * block.
 */
export function ldmUnetLayer(layer: string, layersPerBlock: number): string | undefined {
  const known = outside[layer]
  if (known !== undefined) return known
  const middle = /^middle_block\.([012])\.(.+)$/.exec(layer)
  if (middle) {
    const [, part, rest] = middle as unknown as [string, string, string]
    return part === '1' ? `mid_block.attentions.0.${rest}` : resnetLayer(`mid_block.resnets.${Number(part) / 2}`, rest)
  }
  const found = /^(input|output)_blocks\.(\d+)\.([012])\.(.+)$/.exec(layer)
  if (!found) return undefined
  const [, half, index, part, rest] = found as unknown as [string, 'input' | 'output', string, string, string]
  const at = half === 'input' ? Number(index) - 1 : Number(index)
  const block = `${half === 'input' ? 'down' : 'up'}_blocks.${Math.floor(at / (layersPerBlock + 1))}`
  const inBlock = at % (layersPerBlock + 1)
  if (half === 'input' && part === '0' && rest === 'op') return `${block}.downsamplers.0.conv`
  if (half === 'output' && part !== '0' && rest === 'conv') return `${block}.upsamplers.0.conv`
  if (part === '0') return resnetLayer(`${block}.resnets.${inBlock}`, rest)
  return part === '1' ? `${block}.attentions.${inBlock}.${rest}` : undefined
}

function resnetLayer(resnet: string, layer: string): string | undefined {
  const name = inResnet[layer]
  return name === undefined ? undefined : `${resnet}.${name}`
}

/** The residual layers of a block, from the place of the first downsampler. */
export const layersPerBlockOf = (weights: Weights): number => {
  const keys = [...weights.keys()]
  const first = keys
    .map((key) => /^input_blocks\.(\d+)\.0\.op\.weight$/.exec(key)?.[1])
    .filter((index) => index !== undefined)
    .map(Number)
  return first.length ? Math.min(...first) - 1 : countOf(keys, /^input_blocks\.(\d+)\./) - 1
}

/**
 * A UNet with LDM's keys (without model.diffusion_model.) as UNet2DConditionModel: its keys are renamed, its config is
 * read off the shapes.
 */
export function ldmUnet(ldm: Weights, family: Family): { weights: Weights; config: Record<string, unknown> } {
  const layersPerBlock = layersPerBlockOf(ldm)
  const weights = withLayerNames(ldm, (layer) => ldmUnetLayer(layer, layersPerBlock))
  return { weights, config: unetConfig(weights, layersPerBlock, family) }
}

/** A key that is not known keeps its name, so that whoever takes the weights refuses it by that name. */
export function withLayerNames(ldm: Weights, layerOf: (layer: string) => string | undefined): Weights {
  const weights = new Map<string, Weight>()
  for (const [key, weight] of ldm) {
    const dot = key.lastIndexOf('.')
    const layer = layerOf(key.slice(0, dot))
    const name = layer === undefined ? key : `${layer}${key.slice(dot)}`
    weights.set(name, renamed(weight, name))
  }
  return weights
}

/** The shape of a weight. Throws bad-model naming one that is missing. */
export const shapeIn =
  (weights: Weights) =>
  (key: string): readonly number[] => {
    const found = weights.get(key)?.shape
    if (found) return found
    const message = `its UNet has no weight "${key}" (by diffusers' names); the file is incomplete`
    throw new ProblemError('bad-model', message, { field: key })
  }

function unetConfig(weights: Weights, layersPerBlock: number, family: Family): Record<string, unknown> {
  const shape = shapeIn(weights)
  const { depthAt, ...down } = downConfig(weights, layersPerBlock)
  const up = down.block_out_channels.map((_, i) => depthAt(`up_blocks.${i}.attentions.0`))
  const classEmbedding = weights.get('add_embedding.linear_1.weight')?.shape[1]
  return {
    _class_name: 'UNet2DConditionModel',
    sample_size: sampleSize[family],
    out_channels: shape('conv_out.weight')[0]!,
    ...down,
    up_block_types: up.map((depth) => (depth ? 'CrossAttnUpBlock2D' : 'UpBlock2D')),
    ...(classEmbedding !== undefined && addedEmbedding(classEmbedding, family)),
  }
}

/** What the shapes of a UNet's way down and its middle tell, with diffusers' names. Throws as `shapeIn`. */
export function downConfig(weights: Weights, layersPerBlock: number) {
  const shape = shapeIn(weights)
  const keys = [...weights.keys()]
  const levels = countOf(keys, /^down_blocks\.(\d+)\./)
  const channels = Array.from({ length: levels }, (_, i) => shape(`down_blocks.${i}.resnets.0.conv2.weight`)[0]!)
  const depthAt = (place: string): number =>
    countOf(keys, new RegExp(`^${place.replaceAll('.', '\\.')}\\.transformer_blocks\\.(\\d+)\\.`))
  const down = channels.map((_, i) => depthAt(`down_blocks.${i}.attentions.0`))
  const mid = depthAt('mid_block.attentions.0')
  // The mid block takes the last entry, and so does a last level without attention, which has no use for it.
  const depths = down.map((depth, i) => depth || (i === levels - 1 ? mid : 1))
  const linear = shape('mid_block.attentions.0.proj_in.weight').length === 2
  return {
    depthAt,
    in_channels: shape('conv_in.weight')[1]!,
    block_out_channels: channels,
    layers_per_block: layersPerBlock,
    down_block_types: down.map((depth) => (depth ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    transformer_layers_per_block: depths.every((depth) => depth === depths[0]) ? depths[0]! : depths,
    cross_attention_dim: shape('mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight')[1]!,
    use_linear_projection: linear,
    // An old slip in the format: here it is the number of heads. 1.x has 8 at every level, 2.x and XL have heads of 64
    // channels.
    attention_head_dim: linear ? channels.map((count) => Math.max(1, Math.floor(count / headChannels))) : 8,
  }
}

const headChannels = 64
const sampleSize: Readonly<Record<Family, number>> = { sd1: 64, sd2: 96, sdxl: 128 }
/** XL's size conditions: original, crop and target, two numbers each, embedded one by one in 256 channels. */
const addedEmbedding = (width: number, family: Family): Record<string, unknown> =>
  family === 'sdxl'
    ? { addition_embed_type: 'text_time', addition_time_embed_dim: 256, projection_class_embeddings_input_dim: width }
    : { class_embed_type: 'projection', projection_class_embeddings_input_dim: width }
