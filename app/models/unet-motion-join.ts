import { z } from 'zod'
import type { Weight, Weights } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { parseConfig } from './model.ts'

const perBlock = z.union([z.int(), z.array(z.int())])

/**
 * config.json of a MotionAdapter, with the reference's defaults (unet_motion_model.py@58eb52c MotionAdapter.__init__).
 */
const motionAdapterConfig = z.object({
  block_out_channels: z.array(z.int()).default([320, 640, 1280, 1280]),
  motion_layers_per_block: perBlock.default(2),
  motion_transformer_layers_per_block: z.union([z.int(), z.array(z.union([z.int(), z.array(z.int())]))]).default(1),
  motion_mid_block_layers_per_block: z.int().default(1),
  motion_transformer_layers_per_mid_block: perBlock.default(1),
  motion_num_attention_heads: perBlock.default(8),
  motion_norm_num_groups: z.int().default(32),
  motion_max_seq_length: z.int().default(32),
  use_motion_mid_block: z.boolean().default(true),
  conv_in_channels: z.null('PIA adapters (conv_in_channels) are not supported').optional(),
})
export type MotionAdapterConfig = z.infer<typeof motionAdapterConfig>

/** Throws bad-model that names each key which is wrong, or that it is a kind that is not supported. */
export const parseAdapterConfig = (config: unknown): MotionAdapterConfig =>
  parseConfig({ className: 'MotionAdapter', config: motionAdapterConfig }, config)

/**
 * What of a UNet2DConditionModel's config a motion UNet cannot carry: each must have the value of a plain Stable
 * Diffusion UNet.
 */
const fixedInUnet2d: Readonly<Record<string, unknown>> = {
  center_input_sample: false,
  class_embed_type: null,
  class_embeddings_concat: false,
  conv_in_kernel: 3,
  conv_out_kernel: 3,
  cross_attention_norm: null,
  dual_cross_attention: false,
  flip_sin_to_cos: true,
  freq_shift: 0,
  mid_block_only_cross_attention: null,
  mid_block_type: 'UNetMidBlock2DCrossAttn',
  num_class_embeds: null,
  only_cross_attention: false,
  resnet_out_scale_factor: 1,
  resnet_skip_time_act: false,
  resnet_time_scale_shift: 'default',
  time_embedding_act_fn: null,
  time_embedding_dim: null,
  time_embedding_type: 'positional',
  timestep_post_act: null,
}

/** Keys that both classes have, under one name and with one meaning. */
const shared = [
  'sample_size', 'in_channels', 'out_channels', 'block_out_channels', 'layers_per_block', 'downsample_padding',
  'mid_block_scale_factor', 'act_fn', 'norm_num_groups', 'norm_eps', 'cross_attention_dim', 'transformer_layers_per_block',
  'reverse_transformer_layers_per_block', 'use_linear_projection', 'encoder_hid_dim', 'encoder_hid_dim_type',
  'addition_embed_type', 'addition_time_embed_dim', 'projection_class_embeddings_input_dim', 'time_cond_proj_dim',
] as const // prettier-ignore

type Config = Readonly<Record<string, unknown>>

/**
 * The config of the UNetMotionModel that a UNet2DConditionModel and a MotionAdapter make together.
 * Source: unet_motion_model.py@58eb52c UNetMotionModel.from_unet2d. Throws bad-model naming the key that does not fit.
 */
export function joinedConfig(unet: Config, adapter: MotionAdapterConfig): Config {
  for (const [key, value] of Object.entries(fixedInUnet2d))
    if (unet[key] !== undefined && unet[key] !== value)
      throw new ProblemError(
        'bad-model',
        `this UNet cannot take a motion adapter: config.json has ${key} ${JSON.stringify(unet[key])}`,
        { field: key },
      )
  const channels = z.array(z.int()).safeParse(unet.block_out_channels ?? [320, 640, 1280, 1280])
  if (!channels.success || channels.data.join() !== adapter.block_out_channels.join())
    throw new ProblemError(
      'bad-input',
      `this motion adapter does not fit the model: its block channels are ${adapter.block_out_channels.join(', ')}, the model's ${channels.data?.join(', ') ?? 'unknown'}`,
      { field: 'motionAdapter' },
    )
  const blocks = adapter.block_out_channels.length
  const spelled = (layers: unknown): string =>
    (Array.isArray(layers) ? layers : new Array(blocks).fill(layers ?? 2)).join()
  if (spelled(unet.layers_per_block) !== spelled(adapter.motion_layers_per_block))
    throw new ProblemError(
      'bad-input',
      'this motion adapter does not fit the model: it has another number of layers in its blocks',
      { field: 'motionAdapter' },
    )

  const { use_motion_mid_block, motion_mid_block_layers_per_block: middle } = adapter
  if (use_motion_mid_block && middle !== 1)
    throw new ProblemError(
      'bad-input',
      `this motion adapter does not fit the model: its motion_mid_block_layers_per_block is ${middle}, and the model's middle has one layer`,
      { field: 'motionAdapter' },
    )

  const motionTypes = (types: unknown, direction: 'Down' | 'Up', otherwise: string[]): string[] =>
    (Array.isArray(types) ? types.map(String) : otherwise).map((type) =>
      type.includes('CrossAttn') ? `CrossAttn${direction}BlockMotion` : `${direction}BlockMotion`,
    )
  return {
    ...Object.fromEntries(shared.filter((key) => unet[key] !== undefined).map((key) => [key, unet[key]])),
    down_block_types: motionTypes(unet.down_block_types, 'Down', ['CrossAttn', 'CrossAttn', 'CrossAttn', '']),
    up_block_types: motionTypes(unet.up_block_types, 'Up', ['', 'CrossAttn', 'CrossAttn', 'CrossAttn']),
    // An old slip in the format: UNet2DConditionModel calls the number of heads attention_head_dim.
    num_attention_heads: unet.num_attention_heads ?? unet.attention_head_dim ?? 8,
    layers_per_block: adapter.motion_layers_per_block,
    motion_num_attention_heads: adapter.motion_num_attention_heads,
    motion_max_seq_length: adapter.motion_max_seq_length,
    use_motion_mid_block: adapter.use_motion_mid_block,
    temporal_transformer_layers_per_block: adapter.motion_transformer_layers_per_block,
    temporal_transformer_layers_per_mid_block: adapter.motion_transformer_layers_per_mid_block,
  }
}

/**
 * The keys of both: those of an adapter are already named as they stand in the whole UNet. Throws bad-model when a key
 * is no motion module's.
 */
export function joinedWeights(unet: Weights, adapter: Weights): Weights {
  const all = new Map<string, Weight>([...unet].filter(([key]) => !key.includes('motion_modules.')))
  for (const [key, weight] of adapter) {
    if (!key.includes('motion_modules.'))
      throw new ProblemError(
        'bad-model',
        `the motion adapter has a weight "${key}", which belongs to no motion module`,
        { field: key },
      )
    all.set(key, weight)
  }
  return all
}
