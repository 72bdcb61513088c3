import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { activationName } from './activation-name.ts'
import { layersOf, spread, type PerLayer } from './per-block.ts'

const perBlock = z.union([z.int(), z.array(z.int())])
const perLayer = z.union([z.int(), z.array(z.union([z.int(), z.array(z.int())]))])

const downTypes = [
  'DownBlock2D',
  'CrossAttnDownBlock2D',
  'ResnetDownsampleBlock2D',
  'SimpleCrossAttnDownBlock2D',
] as const
const upTypes = ['UpBlock2D', 'CrossAttnUpBlock2D', 'ResnetUpsampleBlock2D', 'SimpleCrossAttnUpBlock2D'] as const
const midTypes = ['UNetMidBlock2DCrossAttn', 'UNetMidBlock2DSimpleCrossAttn', 'UNetMidBlock2D'] as const

/** Block types as files from before diffusers 0.0.4 write them begin with "UNetRes". */
const blockTypes = <T extends string>(types: readonly [T, ...T[]]) =>
  z.array(z.preprocess((type) => (typeof type === 'string' ? type.replace(/^UNetRes/, '') : type), z.enum(types)))

/**
 * config.json of a UNet2DConditionModel, with the reference's defaults.
 * Source: diffusers/src/diffusers/models/unets/unet_2d_condition.py@58eb52c UNet2DConditionModel.__init__.
 */
export const unet2dConfig = z.object({
  in_channels: z.int().default(4),
  out_channels: z.int().default(4),
  center_input_sample: z.boolean().default(false),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  down_block_types: blockTypes(downTypes).default([
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'DownBlock2D',
  ]),
  mid_block_type: z.enum(midTypes).nullable().default('UNetMidBlock2DCrossAttn'),
  up_block_types: blockTypes(upTypes).default([
    'UpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
  ]),
  only_cross_attention: z.union([z.boolean(), z.array(z.boolean())]).default(false),
  block_out_channels: z.array(z.int()).default([320, 640, 1280, 1280]),
  layers_per_block: perBlock.default(2),
  downsample_padding: z.int().default(1),
  mid_block_scale_factor: z.number().default(1),
  act_fn: activationName.default('silu'),
  norm_num_groups: z.int('null is not supported: the residual blocks need a number').default(32),
  norm_eps: z.number().default(1e-5),
  cross_attention_dim: perBlock.default(1280),
  transformer_layers_per_block: perLayer.default(1),
  reverse_transformer_layers_per_block: perLayer.nullish(),
  encoder_hid_dim: z.int().nullish(),
  encoder_hid_dim_type: z
    .enum(
      ['text_proj', 'text_image_proj', 'image_proj'],
      'only text_proj, text_image_proj and image_proj are supported',
    )
    .nullish(),
  attention_head_dim: perBlock.default(8),
  num_attention_heads: z
    .null('is not supported, as in diffusers: attention_head_dim is the number of heads')
    .optional(),
  dual_cross_attention: z.literal(false, 'is not supported').default(false),
  use_linear_projection: z.boolean().default(false),
  class_embed_type: z.enum(['timestep', 'identity', 'projection', 'simple_projection']).nullish(),
  num_class_embeds: z.int().nullish(),
  addition_embed_type: z.enum(['text', 'text_image', 'text_time', 'image', 'image_hint']).nullish(),
  addition_embed_type_num_heads: z.int().default(64),
  addition_time_embed_dim: z.int().nullish(),
  projection_class_embeddings_input_dim: z.int().nullish(),
  class_embeddings_concat: z.boolean().default(false),
  resnet_time_scale_shift: z.enum(['default', 'scale_shift']).default('default'),
  resnet_skip_time_act: z.boolean().default(false),
  resnet_out_scale_factor: z.number().default(1),
  time_embedding_type: z.enum(['positional', 'fourier']).default('positional'),
  time_embedding_dim: z.int().nullish(),
  time_embedding_act_fn: activationName.nullish(),
  timestep_post_act: activationName.nullish(),
  time_cond_proj_dim: z.int().nullish(),
  conv_in_kernel: z.int().default(3),
  conv_out_kernel: z.int().default(3),
  attention_type: z.literal('default', 'only "default" is supported').nullish(),
  mid_block_only_cross_attention: z.boolean().nullish(),
  cross_attention_norm: z.enum(['layer_norm', 'group_norm']).nullish(),
})
export type UNet2DConfig = z.infer<typeof unet2dConfig>

/** One resolution, with every "one for all or a list" of the config spelled out. */
export type Level2D = {
  /** simple: attention over pixels and context together, and residual blocks that resample. */
  readonly kind: 'plain' | 'cross' | 'resnet' | 'simple'
  readonly channels: number
  readonly resnets: number
  /** Of `cross` attention. An old slip in the format: attention_head_dim is its number of heads. */
  readonly heads: number
  /** Of `simple` attention. */
  readonly headDim: number
  readonly contextDim: number
  readonly transformerLayers: readonly number[]
  readonly onlyCrossAttention: boolean
}

const kinds = {
  DownBlock2D: 'plain',
  UpBlock2D: 'plain',
  CrossAttnDownBlock2D: 'cross',
  CrossAttnUpBlock2D: 'cross',
  ResnetDownsampleBlock2D: 'resnet',
  ResnetUpsampleBlock2D: 'resnet',
  SimpleCrossAttnDownBlock2D: 'simple',
  SimpleCrossAttnUpBlock2D: 'simple',
  UNetMidBlock2DCrossAttn: 'cross',
  UNetMidBlock2DSimpleCrossAttn: 'simple',
  UNetMidBlock2D: 'plain',
} as const

/**
 * The levels going down, that in the middle, and those going up, in the order they run. Throws bad-model naming the key
 * that does not fit.
 */
export function levels2d(config: UNet2DConfig): { down: Level2D[]; mid: Level2D | null; up: Level2D[] } {
  const { block_out_channels: channels, down_block_types: down, up_block_types: up } = config
  const blocks = channels.length
  for (const [key, types] of [['down_block_types', down], ['up_block_types', up]] as const)
    spread(types.map(() => 0), blocks, key) // prettier-ignore
  const layers = spread(config.layers_per_block, blocks, 'layers_per_block')
  const headDims = spread(config.attention_head_dim, blocks, 'attention_head_dim')
  const contextDims = spread(config.cross_attention_dim, blocks, 'cross_attention_dim')
  const onlyCross = spread(config.only_cross_attention, blocks, 'only_cross_attention')
  const transformer = config.transformer_layers_per_block
  const reverse = reverseLayers(config)

  const level = (
    type: keyof typeof kinds,
    i: number,
    count: number,
    transformerLayers: number[],
    headDim: number,
  ): Level2D => ({
    kind: kinds[type],
    channels: channels[i]!,
    resnets: count,
    heads: headDims[i]!,
    headDim,
    contextDim: contextDims[i]!,
    transformerLayers,
    onlyCrossAttention: onlyCross[i]!,
  })
  const last = typeof transformer === 'number' ? transformer : transformer.at(-1)!
  const midLayers = typeof last === 'number' ? [last] : last.slice(0, 1)
  const midOnlyCross =
    config.mid_block_only_cross_attention ??
    (typeof config.only_cross_attention === 'boolean' ? config.only_cross_attention : false)
  return {
    down: down.map((type, i) =>
      level(
        type,
        i,
        layers[i]!,
        layersOf(transformer, blocks, i, layers[i]!, 'transformer_layers_per_block'),
        headDims[i]!,
      ),
    ),
    mid: config.mid_block_type && {
      ...level(config.mid_block_type, blocks - 1, 1, midLayers, headDims[blocks - 1]!),
      onlyCrossAttention: midOnlyCross,
    },
    up: up.map((type, i) => {
      const from = blocks - 1 - i
      const count = layers[from]! + 1
      const transformerLayers = layersOf(reverse.value, blocks, i, count, reverse.key)
      // The reference reads attention_head_dim from the front on the way up, as a width, and from the back as a number
      // of heads.
      return level(type, from, count, transformerLayers, headDims[i]!)
    }),
  }
}

/** Transformer layers on the way up, in running order. */
function reverseLayers(config: UNet2DConfig): { value: PerLayer; key: string } {
  const { reverse_transformer_layers_per_block: given, transformer_layers_per_block: value } = config
  if (given != null) return { value: given, key: 'reverse_transformer_layers_per_block' }
  if (typeof value === 'number') return { value, key: 'transformer_layers_per_block' }
  if (value.every((entry) => typeof entry === 'number'))
    return { value: value.toReversed(), key: 'transformer_layers_per_block' }
  throw new ProblemError(
    'bad-model',
    'config.json: transformer_layers_per_block has layers of their own, so reverse_transformer_layers_per_block is needed',
    { field: 'reverse_transformer_layers_per_block' },
  )
}
