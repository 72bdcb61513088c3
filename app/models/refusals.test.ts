import { expect, it } from 'vitest'
import { defaultOptions } from '#app/graph/index.ts'
import { autoencoderTiny } from './autoencoder-tiny.ts'
import { clipVisionModelWithProjection } from './clip-vision.ts'
import { auditKeys, compile } from './compile.ts'
import { controlNetModel } from './controlnet.ts'
import type { InputShapes } from './input-shapes.ts'
import { checkSavable } from './motion-adapter.ts'
import { parseConfig, type Model } from './model.ts'
import { pixartTransformer2d } from './pixart-transformer-2d.ts'
import { priorTransformer } from './prior-transformer.ts'
import { sparseControlNetModel } from './sparse-controlnet.ts'
import { t5EncoderModel } from './t5-encoder.ts'
import { timesformerModel } from './timesformer.ts'
import { transformerTemporalModel } from './transformer-temporal.ts'
import { unclipTextProjModel } from './unclip-text-proj.ts'
import { levels2d, unet2dConfig } from './unet-2d-config.ts'
import { unet2dConditionModel } from './unet-2d-condition.ts'
import { unet2dModel } from './unet-2d.ts'
import { unet3dConditionModel } from './unet-3d-condition.ts'
import { levels as motionLevels, unetMotionConfig } from './unet-motion-config.ts'
import { joinedConfig, parseAdapterConfig } from './unet-motion-join.ts'
import { unetMotionModel } from './unet-motion.ts'
import { vqModel } from './vq-model.ts'

const parsed =
  <C>(model: Model<C>, config: Record<string, unknown>) =>
  (): unknown =>
    parseConfig(model, config)
const levels = (config: Record<string, unknown>) => (): unknown => levels2d(unet2dConfig.parse(config))

const motion = (config: Record<string, unknown>) => (): unknown => motionLevels(unetMotionConfig.parse(config))

/** The forward for inputs of these shapes, without its weights. */
const built =
  <C>(model: Model<C>, config: Record<string, unknown>, shapes: Record<string, readonly number[]>) =>
  (): unknown =>
    auditKeys(model, parseConfig(model, config), new Map(), [{ method: 'forward', inputs: floats(shapes) }])
const floats = (shapes: Record<string, readonly number[]>): InputShapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { dtype: 'float32', shape }]))
const video = { sample: [2, 4, 3, 16, 16], timestep: [1], encoder_hidden_states: [2, 5, 1280] }

const savable = (config: Record<string, unknown>) => (): void => checkSavable(unetMotionConfig.parse(config))

/** What a model cannot honour, it refuses by the name of the key. */
it.each([
  ['in_channels', parsed(transformerTemporalModel, {})],
  ['upsample_fn', parsed(autoencoderTiny, { upsample_fn: 'bilinear' })],
  ['num_decoder_blocks', parsed(autoencoderTiny, { num_decoder_blocks: [3, 1] })],
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
  ['use_additional_conditions', parsed(pixartTransformer2d, { num_attention_heads: 1, attention_head_dim: 16 })],
  ['time_embed_act_fn', parsed(priorTransformer, { time_embed_act_fn: 'tanh' })],
  ['num_attention_heads', parsed(timesformerModel, { num_attention_heads: 5 })],
  ['image_size', parsed(timesformerModel, { image_size: [224, 224] })],
  ['problem_type', parsed(timesformerModel, { num_labels: 1, problem_type: 'single_label_classification' })],
  ['act_fn', parsed(unetMotionModel, { act_fn: 'tanh' })],
  ['addition_time_embed_dim', parsed(unetMotionModel, { addition_embed_type: 'text_time' })],
  ['reverse_transformer_layers_per_block', motion({ transformer_layers_per_block: [[1, 1], 1, 1, 1] })],
  ['reverse_temporal_transformer_layers', motion({ temporal_transformer_layers_per_block: [[1, 1], 1, 1, 1] })],
  [
    'reverse_temporal_transformer_layers_per_block',
    savable({
      temporal_transformer_layers_per_block: [1, 2, 1, 1],
      reverse_temporal_transformer_layers_per_block: [1, 2, 1, 1],
    }),
  ],
  [
    'motion_mid_block_layers_per_block',
    () => joinedConfig({}, parseAdapterConfig({ motion_mid_block_layers_per_block: 2 })),
  ],
  ['motion_num_attention_heads', savable({ motion_num_attention_heads: [[8, 4], 8, 8, 8] })],
  ['norm_num_groups', built(unetMotionModel, { norm_num_groups: 7 }, video)],
  ['norm_num_groups', built(transformerTemporalModel, { in_channels: 20 }, { hidden_states: [1, 20, 2, 2] })],
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
  ['down_block_types', parsed(unet2dModel, { down_block_types: ['AttnSkipDownBlock2D'] })],
  ['class_embed_type', parsed(unet2dModel, { class_embed_type: 'timestep' })],
  ['num_class_embeds', parsed(unet2dModel, { num_class_embeds: 10 })],
  ['time_embedding_type', parsed(unet2dModel, { time_embedding_type: 'fourier' })],
  ['up_block_types', built(unet2dModel, { up_block_types: ['UpBlock2D'] }, { sample: [1, 3, 8, 8], timestep: [1] })],
  ['cross_attention_dim', parsed(unclipTextProjModel, { time_embed_dim: 32 })],
  ['encoder_hid_dim', parsed(controlNetModel, { encoder_hid_dim: 768 })],
  ['addition_embed_type', parsed(controlNetModel, { addition_embed_type: 'image' })],
  ['controlnet_conditioning_channel_order', parsed(controlNetModel, { controlnet_conditioning_channel_order: 'gbr' })],
  ['only_cross_attention', parsed(sparseControlNetModel, { only_cross_attention: true })],
  ['attention_head_dim', parsed(unet3dConditionModel, { attention_head_dim: [8, 8] })],
] as const)('%s is refused by name', (key, run) => {
  expect(run).toThrow(key)
})

it('reads the block names of the oldest files', () => {
  expect(unet2dConfig.parse({ up_block_types: ['UNetResUpBlock2D'] }).up_block_types).toEqual(['UpBlock2D'])
})

const sized = {
  addition_embed_type: 'text_time',
  addition_time_embed_dim: 8,
  projection_class_embeddings_input_dim: 80,
}
const down = 'down_block_additional_residuals'
const control = {
  sample: [4, 4, 16, 16],
  timestep: [1],
  encoder_hidden_states: [2, 5, 1280],
  controlnet_cond: [2, 3, 128, 128],
}
const sparse = { ...video, encoder_hidden_states: [2, 5, 768], controlnet_cond: [1, 4, 3, 16, 16] }
const withMask = { ...sparse, conditioning_mask: [1, 1, 3, 16, 16] }
const prior = { hidden_states: [2, 768], timestep: [1], proj_embedding: [2, 768], encoder_hidden_states: [2, 77, 768] }
const projection = { clip_embeddings_dim: 20, time_embed_dim: 8, cross_attention_dim: 8 }
const image = { hidden_states: [2, 4, 8, 8], timestep: [1], encoder_hidden_states: [2, 5, 1152] }

it.each([
  ['timestep', built(unetMotionModel, {}, { ...video, timestep: [3] })],
  ['timestep_cond', built(unetMotionModel, { time_cond_proj_dim: 5 }, { ...video, timestep_cond: [2, 6] })],
  ['attention_mask', built(unetMotionModel, {}, { ...video, attention_mask: [6, 256] })],
  [`${down}.1`, built(unetMotionModel, {}, { ...video, [`${down}.0`]: [6, 320, 16, 16] })],
  [`${down}.0`, built(unetMotionModel, {}, { ...video, [`${down}.0`]: [6, 320, 16, 15] })],
  ['mid_block_additional', built(unetMotionModel, {}, { ...video, mid_block_additional_residual: [6, 1280, 3, 2] })],
  [
    'text_embeds',
    built(unetMotionModel, sized, {
      ...video,
      'added_cond_kwargs.text_embeds': [2, 33],
      'added_cond_kwargs.time_ids': [2, 6],
    }),
  ],
  ['sample', built(unet2dModel, {}, { sample: [1, 3, 8, 12], timestep: [1] })],
  ['image_embeddings', built(unclipTextProjModel, projection, { image_embeddings: [20], prompt_embeds: [1, 20] })],
  ['encoder_hidden_states', built(controlNetModel, {}, { ...control, encoder_hidden_states: [3, 5, 1280] })],
  ['controlnet_cond', built(controlNetModel, {}, { ...control, controlnet_cond: [2, 3, 64, 64] })],
  ['controlnet_cond', built(controlNetModel, {}, { ...control, controlnet_cond: [3, 3, 128, 128] })],
  ['controlnet_cond', built(controlNetModel, {}, { ...control, controlnet_cond: [2, 1, 128, 128] })],
  ['conditioning_mask', built(sparseControlNetModel, {}, sparse)],
  ['conditioning_mask', built(sparseControlNetModel, {}, { ...withMask, conditioning_mask: [1, 1, 2, 16, 16] })],
  ['controlnet_cond', built(sparseControlNetModel, {}, { ...withMask, controlnet_cond: [1, 3, 3, 16, 16] })],
  ['sample', built(sparseControlNetModel, { motion_max_seq_length: 2 }, withMask)],
  ['ip_adapter_scale', built(unetMotionModel, {}, { ...video, 'added_cond_kwargs.image_embeds.0': [2, 1, 1024] })],
  ['proj_embedding', built(priorTransformer, {}, { ...prior, proj_embedding: [1, 768] })],
  ['encoder_hidden_states', built(priorTransformer, {}, { ...prior, encoder_hidden_states: [1, 77, 768] })],
  [
    'encoder_attention_mask',
    built(pixartTransformer2d, { sample_size: 8 }, { ...image, encoder_attention_mask: [2, 4] }),
  ],
  ['attention_mask', built(pixartTransformer2d, { sample_size: 8 }, { ...image, attention_mask: [2, 5] })],
  ['pixel_values', built(timesformerModel, {}, { pixel_values: [1, 8, 3, 224, 15] })],
  ['hidden_states', built(pixartTransformer2d, { sample_size: 8 }, { ...image, hidden_states: [2, 4, 1, 8] })],
] as const)('an input %s that does not fit is refused by name', (name, run) => {
  expect(run).toThrow(name)
})

it('an argument that no layer reads is refused by name', () => {
  const run = { method: 'forward', inputs: {}, args: { num_frames: 1, cross_attention_kwargs: true } }
  const config = parseConfig(transformerTemporalModel, { in_channels: 32 })
  expect(() => compile(transformerTemporalModel, config, new Map(), run, defaultOptions)).toThrow(
    'cross_attention_kwargs',
  )
})
