import { expect, it } from 'vitest'
import { clipVisionModelWithProjection } from './clip-vision.ts'
import { parseConfig, type Model } from './model.ts'
import { pixartTransformer2d } from './pixart-transformer-2d.ts'
import { priorTransformer } from './prior-transformer.ts'
import { t5EncoderModel } from './t5-encoder.ts'
import { transformerTemporalModel } from './transformer-temporal.ts'
import { levels2d, unet2dConfig } from './unet-2d-config.ts'
import { unet2dConditionModel } from './unet-2d-condition.ts'
import { unet3dConditionModel } from './unet-3d-condition.ts'
import { vqModel } from './vq-model.ts'

const parsed =
  <C>(model: Model<C>, config: Record<string, unknown>) =>
  (): unknown =>
    parseConfig(model, config)
const levels = (config: Record<string, unknown>) => (): unknown => levels2d(unet2dConfig.parse(config))

/** What a model cannot honour, it refuses by the name of the key. */
it.each([
  ['in_channels', parsed(transformerTemporalModel, {})],
  ['positional_embeddings', parsed(transformerTemporalModel, { in_channels: 8, positional_embeddings: 'rotary' })],
  [
    'num_positional_embeddings',
    parsed(transformerTemporalModel, { in_channels: 8, positional_embeddings: 'sinusoidal' }),
  ],
  ['norm_in_type', parsed(priorTransformer, { norm_in_type: 'group' })],
  ['encoder_hid_proj_type', parsed(priorTransformer, { encoder_hid_proj_type: 'mlp' })],
  ['added_emb_type', parsed(priorTransformer, { added_emb_type: 'cls' })],
  ['norm_type', parsed(pixartTransformer2d, { norm_type: 'ada_norm_zero' })],
  ['attention_type', parsed(pixartTransformer2d, { attention_type: 'gated' })],
  ['num_embeds_ada_norm', parsed(pixartTransformer2d, { num_embeds_ada_norm: null })],
  ['attention_head_dim', parsed(pixartTransformer2d, { num_attention_heads: 3, attention_head_dim: 6 })],
  ['image_size', parsed(clipVisionModelWithProjection, { image_size: [224, 336] })],
  ['feed_forward_proj', parsed(t5EncoderModel, { feed_forward_proj: 'gated-gelu-2' })],
  ['is_decoder', parsed(t5EncoderModel, { is_decoder: true })],
  ['norm_type', parsed(vqModel, { norm_type: 'ada_group' })],
  ['down_block_types', parsed(vqModel, { down_block_types: ['AttnDownBlock2D'] })],
  ['down_block_types', parsed(unet2dConditionModel, { down_block_types: ['KDownBlock2D'] })],
  ['dual_cross_attention', parsed(unet2dConditionModel, { dual_cross_attention: true })],
  ['num_attention_heads', parsed(unet2dConditionModel, { num_attention_heads: 8 })],
  ['encoder_hid_dim_type', parsed(unet2dConditionModel, { encoder_hid_dim_type: 'ip_image_proj' })],
  ['attention_type', parsed(unet2dConditionModel, { attention_type: 'gated' })],
  ['norm_num_groups', parsed(unet2dConditionModel, { norm_num_groups: null })],
  ['layers_per_block', levels({ layers_per_block: [2, 2] })],
  ['only_cross_attention', levels({ only_cross_attention: [true] })],
  [
    'reverse_transformer_layers_per_block',
    levels({
      transformer_layers_per_block: [
        [1, 2],
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    }),
  ],
  ['attention_head_dim', parsed(unet3dConditionModel, { attention_head_dim: [8, 8] })],
] as const)('%s is refused by name', (key, run) => {
  expect(run).toThrow(key)
})

it('reads the block names of the oldest files', () => {
  expect(unet2dConfig.parse({ up_block_types: ['UNetResUpBlock2D'] }).up_block_types).toEqual(['UpBlock2D'])
})
