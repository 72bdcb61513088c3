import { expect, test } from 'vitest'
import { auditOf } from './known-models.ts'

test("Kandinsky 2.1's UNet is asked for text and image together", () => {
  // diffusers/scripts/convert_kandinsky_to_diffusers.py@58eb52c UNET_CONFIG, with fewer channels
  const config = {
    _class_name: 'UNet2DConditionModel',
    act_fn: 'silu',
    addition_embed_type: 'text_image',
    addition_embed_type_num_heads: 64,
    attention_head_dim: 16,
    block_out_channels: [32, 64],
    cross_attention_dim: 48,
    down_block_types: ['ResnetDownsampleBlock2D', 'SimpleCrossAttnDownBlock2D'],
    encoder_hid_dim: 64,
    encoder_hid_dim_type: 'text_image_proj',
    in_channels: 4,
    layers_per_block: 1,
    mid_block_type: 'UNetMidBlock2DSimpleCrossAttn',
    norm_num_groups: 32,
    out_channels: 8,
    resnet_time_scale_shift: 'scale_shift',
    up_block_types: ['SimpleCrossAttnUpBlock2D', 'ResnetUpsampleBlock2D'],
  }
  const { missing, wrong, unused } = auditOf('UNet2DConditionModel')!(config, new Map())
  expect(missing).toContain('encoder_hid_proj.image_embeds.weight')
  expect(missing).toContain('encoder_hid_proj.text_proj.weight')
  expect(missing).toContain('add_embedding.text_proj.weight')
  expect([wrong, unused]).toEqual([[], []])
})

test("PixArt's published config is that of its transformer", () => {
  // transformer/config.json of PixArt-alpha/PixArt-XL-2-512x512, with fewer layers
  const config = {
    _class_name: 'Transformer2DModel',
    activation_fn: 'gelu-approximate',
    attention_bias: true,
    attention_head_dim: 72,
    attention_type: 'default',
    caption_channels: 4096,
    cross_attention_dim: 1152,
    double_self_attention: false,
    dropout: 0.0,
    in_channels: 4,
    norm_elementwise_affine: false,
    norm_eps: 1e-6,
    norm_num_groups: 32,
    norm_type: 'ada_norm_single',
    num_attention_heads: 16,
    num_embeds_ada_norm: 1000,
    num_layers: 1,
    num_vector_embeds: null,
    only_cross_attention: false,
    out_channels: 8,
    patch_size: 2,
    sample_size: 64,
    upcast_attention: false,
    use_linear_projection: false,
  }
  const { missing } = auditOf('PixArtTransformer2DModel')!(config, new Map())
  expect(missing).toContain('transformer_blocks.0.scale_shift_table')
  expect(missing).not.toContain('adaln_single.emb.resolution_embedder.linear_1.weight')
})
