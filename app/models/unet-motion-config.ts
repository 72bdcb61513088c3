import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { activationName } from './activation-name.ts'
import { layersOf, spread, type PerLayer } from './per-block.ts'

const perBlock = z.union([z.int(), z.array(z.int())])
const perLayer = z.union([z.int(), z.array(z.union([z.int(), z.array(z.int())]))])

/**
 * config.json of a UNetMotionModel, with the reference's defaults.
 * Source: diffusers/src/diffusers/models/unets/unet_motion_model.py@58eb52c UNetMotionModel.__init__.
 */
export const unetMotionFields = z.object({
  sample_size: z.union([z.int(), z.array(z.int())]).nullish(),
  in_channels: z.int().default(4),
  out_channels: z.int().default(4),
  down_block_types: z
    .array(z.enum(['CrossAttnDownBlockMotion', 'DownBlockMotion']))
    .default(['CrossAttnDownBlockMotion', 'CrossAttnDownBlockMotion', 'CrossAttnDownBlockMotion', 'DownBlockMotion']),
  up_block_types: z
    .array(z.enum(['CrossAttnUpBlockMotion', 'UpBlockMotion']))
    .default(['UpBlockMotion', 'CrossAttnUpBlockMotion', 'CrossAttnUpBlockMotion', 'CrossAttnUpBlockMotion']),
  block_out_channels: z.array(z.int()).default([320, 640, 1280, 1280]),
  layers_per_block: perBlock.default(2),
  downsample_padding: z.int().default(1),
  mid_block_scale_factor: z.number().default(1),
  act_fn: activationName.default('silu'),
  norm_num_groups: z.int().nullable().default(32),
  norm_eps: z.number().default(1e-5),
  cross_attention_dim: perBlock.default(1280),
  transformer_layers_per_block: perLayer.default(1),
  reverse_transformer_layers_per_block: perLayer.nullish(),
  temporal_transformer_layers_per_block: perLayer.default(1),
  reverse_temporal_transformer_layers_per_block: perLayer.nullish(),
  transformer_layers_per_mid_block: perBlock.nullish(),
  temporal_transformer_layers_per_mid_block: perBlock.nullable().default(1),
  use_linear_projection: z.boolean().default(false),
  num_attention_heads: perBlock.default(8),
  motion_max_seq_length: z.int().default(32),
  motion_num_attention_heads: perLayer.default(8),
  reverse_motion_num_attention_heads: perLayer.nullish(),
  use_motion_mid_block: z.boolean().default(true),
  mid_block_layers: z.int().default(1),
  encoder_hid_dim: z.null('IP-Adapter image projections (encoder_hid_dim) are not supported').optional(),
  encoder_hid_dim_type: z.null('IP-Adapter image projections (encoder_hid_dim_type) are not supported').optional(),
  addition_embed_type: z.enum(['text_time'], 'only "text_time" is supported').nullish(),
  addition_time_embed_dim: z.int().nullish(),
  projection_class_embeddings_input_dim: z.int().nullish(),
  time_cond_proj_dim: z.int().nullish(),
})

export const unetMotionConfig = unetMotionFields
  .refine((config) => config.addition_embed_type == null || config.addition_time_embed_dim != null, {
    path: ['addition_time_embed_dim'],
    message: 'addition_embed_type "text_time" needs it',
  })
  .refine((config) => config.addition_embed_type == null || config.projection_class_embeddings_input_dim != null, {
    path: ['projection_class_embeddings_input_dim'],
    message: 'addition_embed_type "text_time" needs it',
  })
export type UNetMotionConfig = z.infer<typeof unetMotionConfig>

/** What one resolution of the UNet is made of, with every "one for all or a list" of the config spelled out. */
export type Level = {
  readonly channels: number
  readonly crossAttention: boolean
  readonly resnets: number
  readonly heads: number
  readonly contextDim: number
  /** Layers of each spatial and each temporal transformer. */
  readonly transformerLayers: readonly number[]
  readonly motionLayers: readonly number[]
  readonly motionHeads: readonly number[]
}

/**
 * The levels going down, then those going up, in the order they run. Throws bad-model naming the key whose length does
 * not fit.
 */
export function levels(config: UNetMotionConfig): {
  down: Level[]
  up: Level[]
  mid: Omit<Level, 'crossAttention' | 'resnets'>
} {
  const blocks = config.block_out_channels.length
  for (const key of ['down_block_types', 'up_block_types'] as const)
    spread(
      config[key].map(() => 0),
      blocks,
      key,
    )
  const layers = spread(config.layers_per_block, blocks, 'layers_per_block')
  const heads = spread(config.num_attention_heads, blocks, 'num_attention_heads')
  const contextDims = spread(config.cross_attention_dim, blocks, 'cross_attention_dim')

  const level = (
    i: number,
    count: number,
    crossAttention: boolean,
    keys: Record<'spatial' | 'temporal' | 'heads', [PerLayer, string, number]>,
  ): Level => ({
    channels: config.block_out_channels[i]!,
    crossAttention,
    resnets: count,
    heads: heads[i]!,
    contextDim: contextDims[i]!,
    transformerLayers: layersOf(keys.spatial[0], blocks, keys.spatial[2], count, keys.spatial[1]),
    motionLayers: layersOf(keys.temporal[0], blocks, keys.temporal[2], count, keys.temporal[1]),
    motionHeads: layersOf(keys.heads[0], blocks, keys.heads[2], count, keys.heads[1]),
  })
  const down = config.down_block_types.map((type, i) =>
    level(i, layers[i]!, type.startsWith('CrossAttn'), {
      spatial: [config.transformer_layers_per_block, 'transformer_layers_per_block', i],
      temporal: [config.temporal_transformer_layers_per_block, 'temporal_transformer_layers_per_block', i],
      heads: [config.motion_num_attention_heads, 'motion_num_attention_heads', i],
    }),
  )
  // Going up, a list given for that way is in running order; without it the list for the way down is read backwards.
  const upwards = (
    reverse: PerLayer | null | undefined,
    value: PerLayer,
    key: string,
    i: number,
  ): [PerLayer, string, number] => {
    if (reverse != null) return [reverse, `reverse_${key}`, i]
    if (typeof value === 'number' || value.every((entry) => typeof entry === 'number'))
      return [value, key, blocks - 1 - i]
    throw new ProblemError('bad-model', `config.json: ${key} has layers of their own, so reverse_${key} is needed`, {
      field: `reverse_${key}`,
    })
  }
  const up = config.up_block_types.map((type, i) =>
    level(blocks - 1 - i, layers[blocks - 1 - i]! + 1, type.startsWith('CrossAttn'), {
      spatial: upwards(
        config.reverse_transformer_layers_per_block,
        config.transformer_layers_per_block,
        'transformer_layers_per_block',
        i,
      ),
      temporal: upwards(
        config.reverse_temporal_transformer_layers_per_block,
        config.temporal_transformer_layers_per_block,
        'temporal_transformer_layers_per_block',
        i,
      ),
      // The reference takes reverse_motion_num_attention_heads and never reads it.
      heads: [config.motion_num_attention_heads, 'motion_num_attention_heads', blocks - 1 - i],
    }),
  )
  const last =
    typeof config.transformer_layers_per_block === 'number'
      ? config.transformer_layers_per_block
      : config.transformer_layers_per_block.at(-1)
  const midLayers = config.transformer_layers_per_mid_block ?? (typeof last === 'number' ? last : 1)
  const midHeads =
    typeof config.motion_num_attention_heads === 'number'
      ? config.motion_num_attention_heads
      : config.motion_num_attention_heads.at(-1)
  if (typeof midHeads !== 'number')
    throw new ProblemError(
      'bad-model',
      'config.json: motion_num_attention_heads must end in a single number, for the mid block',
      { field: 'motion_num_attention_heads' },
    )
  return {
    down,
    up,
    mid: {
      channels: config.block_out_channels.at(-1)!,
      heads: heads.at(-1)!,
      contextDim: contextDims.at(-1)!,
      transformerLayers: spread(midLayers, config.mid_block_layers, 'transformer_layers_per_mid_block'),
      motionLayers: spread(
        config.temporal_transformer_layers_per_mid_block ?? 1,
        config.mid_block_layers,
        'temporal_transformer_layers_per_mid_block',
      ),
      motionHeads: spread(midHeads, config.mid_block_layers, 'motion_num_attention_heads'),
    },
  }
}
