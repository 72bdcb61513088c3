import { z } from 'zod'
import { clamp, conv2d, exp, groupNorm, mul, silu, split, type Scope, type Value } from '#app/graph/index.ts'
import { activationName } from './activation-name.ts'
import { pixelAttention } from './blocks/pixel-attention.ts'
import { downsample2d, resnetBlock, upsample2d } from './blocks/resnet.ts'
import { floats, imageSides } from './input-shapes.ts'
import { imageDims, required, type Inputs, type Model, type Outputs } from './model.ts'

/** config.json of an AutoencoderKL, with the reference's defaults. */
const autoencoderKlConfig = z.object({
  in_channels: z.int().default(3),
  out_channels: z.int().default(3),
  down_block_types: z.array(z.literal('DownEncoderBlock2D')).default(['DownEncoderBlock2D']),
  up_block_types: z.array(z.literal('UpDecoderBlock2D')).default(['UpDecoderBlock2D']),
  block_out_channels: z.array(z.int()).default([64]),
  layers_per_block: z.int().default(1),
  act_fn: activationName.default('silu'),
  latent_channels: z.int().default(4),
  norm_num_groups: z.int().default(32),
  /** Of tiles, where it decodes in tiles. */
  sample_size: z.union([z.int(), z.array(z.int()).min(1)]).default(32),
  scaling_factor: z.number().default(0.18215),
  shift_factor: z.number().nullish(),
  latents_mean: z.array(z.number()).nullish(),
  latents_std: z.array(z.number()).nullish(),
  use_quant_conv: z.boolean().default(true),
  use_post_quant_conv: z.boolean().default(true),
  mid_block_add_attention: z.boolean().default(true),
})
export type AutoencoderKlConfig = z.infer<typeof autoencoderKlConfig>

const epsilon = 1e-6

/**
 * AutoencoderKL, between images and latents. Paper: arXiv 2112.10752. Reference:
 * diffusers/src/diffusers/models/autoencoders/autoencoder_kl.py and vae.py@58eb52c.
 *
 * encode: x (N, 3, H, W) -> mean, std (N, c, h, w) of the latents. decode: z (N, c, h, w) -> sample (N, 3, H, W).
 * Scaling by scaling_factor is the caller's.
 */
export const autoencoderKl = {
  className: 'AutoencoderKL',
  config: autoencoderKlConfig,
  methods: {
    encode: {
      build: encode,
      inputsFor: (config, sizes) => ({ x: floats(sizes.batch, config.in_channels, ...imageSides(config, sizes)) }),
    },
    decode: {
      build: decode,
      inputsFor: (config, { batch, height, width }) => ({ z: floats(batch, config.latent_channels, height, width) }),
    },
  },
} satisfies Model<AutoencoderKlConfig>

function decode(scope: Scope, config: AutoencoderKlConfig, inputs: Inputs<'z'>): Outputs<'sample'> {
  const z = required(inputs, 'z')
  imageDims(z, 'z', config.latent_channels, 'latent_channels')
  const decoder = scope.at('decoder')
  const channels = config.block_out_channels.toReversed()
  let x = config.use_post_quant_conv ? conv2d(scope.at('post_quant_conv'), z, config.latent_channels, { kernel: 1 }) : z
  x = conv2d(decoder.at('conv_in'), x, channels[0]!, { padding: 1 })
  x = midBlock(decoder.at('mid_block'), x, config)
  for (const [i, out] of channels.entries()) {
    const block = decoder.at('up_blocks', i)
    for (let j = 0; j <= config.layers_per_block; j++) x = resnet(block.at('resnets', j), x, out, config)
    if (i < channels.length - 1) x = upsample2d(block.at('upsamplers', 0), x, out)
  }
  return { sample: head(decoder, x, config.out_channels, config) }
}

function encode(scope: Scope, config: AutoencoderKlConfig, inputs: Inputs<'x'>): Outputs<'mean' | 'std'> {
  const image = required(inputs, 'x')
  imageDims(image, 'x', config.in_channels, 'in_channels')
  const encoder = scope.at('encoder')
  const channels = config.block_out_channels
  let x = conv2d(encoder.at('conv_in'), image, channels[0]!, { padding: 1 })
  for (const [i, out] of channels.entries()) {
    const block = encoder.at('down_blocks', i)
    for (let j = 0; j < config.layers_per_block; j++) x = resnet(block.at('resnets', j), x, out, config)
    if (i < channels.length - 1) x = downsample2d(block.at('downsamplers', 0), x, out, 0)
  }
  x = head(encoder, midBlock(encoder.at('mid_block'), x, config), 2 * config.latent_channels, config)
  if (config.use_quant_conv) x = conv2d(scope.at('quant_conv'), x, 2 * config.latent_channels, { kernel: 1 })
  const [mean, logVariance] = split(x, [config.latent_channels, config.latent_channels], 1)
  return { mean, std: exp(mul(clamp(logVariance, -30, 20), 0.5)) }
}

const resnet = (scope: Scope, x: Value, out: number, config: AutoencoderKlConfig): Value =>
  resnetBlock(scope, x, { out, groups: config.norm_num_groups, epsilon, act: config.act_fn })

function head(scope: Scope, x: Value, out: number, config: AutoencoderKlConfig): Value {
  const normalized = groupNorm(scope.at('conv_norm_out'), x, config.norm_num_groups, epsilon)
  return conv2d(scope.at('conv_out'), silu(normalized), out, { padding: 1 })
}

function midBlock(scope: Scope, input: Value, config: AutoencoderKlConfig): Value {
  const channels = config.block_out_channels.at(-1)!
  const x = resnet(scope.at('resnets', 0), input, channels, config)
  const attended = config.mid_block_add_attention
    ? pixelAttention(scope.at('attentions', 0), x, { groups: config.norm_num_groups, epsilon })
    : x
  return resnet(scope.at('resnets', 1), attended, channels, config)
}
