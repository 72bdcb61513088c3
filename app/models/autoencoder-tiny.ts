import { z } from 'zod'
import {
  activation,
  add,
  conv2d,
  div,
  interpolateNearest,
  mul,
  relu,
  sub,
  tanh,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { activationName } from './activation-name.ts'
import { sidesOf } from './blocks/resnet.ts'
import { floats, imageSides } from './input-shapes.ts'
import { imageDims, required, type Inputs, type Model, type Outputs } from './model.ts'

const levels = z.array(z.int().min(1)).min(1)

/** config.json of an AutoencoderTiny, with the reference's defaults. Latents are never kept as bytes here. */
const autoencoderTinyConfig = z
  .object({
    in_channels: z.int().default(3),
    out_channels: z.int().default(3),
    encoder_block_out_channels: levels.default([64, 64, 64, 64]),
    decoder_block_out_channels: levels.default([64, 64, 64, 64]),
    act_fn: activationName.default('relu'),
    upsample_fn: z.literal('nearest').default('nearest'),
    latent_channels: z.int().default(4),
    upsampling_scaling_factor: z.int().min(1).default(2),
    num_encoder_blocks: levels.default([1, 3, 3, 3]),
    num_decoder_blocks: levels.default([3, 3, 3, 1]),
    scaling_factor: z.number().default(1),
  })
  .superRefine((config, context) => {
    for (const half of ['encoder', 'decoder'] as const)
      if (config[`${half}_block_out_channels`].length !== config[`num_${half}_blocks`].length)
        context.addIssue({
          code: 'custom',
          path: [`num_${half}_blocks`],
          message: `it must have as many numbers as ${half}_block_out_channels`,
        })
  })
export type AutoencoderTinyConfig = z.infer<typeof autoencoderTinyConfig>

/**
 * AutoencoderTiny, a distilled autoencoder of a hundredth of the size: TAESD and its like. Source:
 * github.com/madebyollin/taesd. Reference: diffusers/src/diffusers/models/autoencoders/autoencoder_tiny.py and
 * vae.py@58eb52c.
 *
 * encode: x (N, 3, H, W) -> latents (N, c, h, w). decode: z (N, c, h, w) -> sample (N, 3, H, W). Images are in -1..1.
 */
export const autoencoderTiny = {
  className: 'AutoencoderTiny',
  config: autoencoderTinyConfig,
  methods: {
    encode: {
      build: encode,
      inputsFor: (config, sizes) => {
        const sides = imageSides({ block_out_channels: config.encoder_block_out_channels }, sizes)
        return { x: floats(sizes.batch, config.in_channels, ...sides) }
      },
    },
    decode: {
      build: decode,
      inputsFor: (config, { batch, height, width }) => ({ z: floats(batch, config.latent_channels, height, width) }),
    },
  },
} satisfies Model<AutoencoderTinyConfig>

function encode(scope: Scope, config: AutoencoderTinyConfig, inputs: Inputs<'x'>): Outputs<'latents'> {
  const image = required(inputs, 'x')
  imageDims(image, 'x', config.in_channels, 'in_channels')
  const layers = numbered(scope.at('encoder'))
  let x = div(add(image, 1), 2)
  for (const [level, out] of config.encoder_block_out_channels.entries()) {
    x = conv2d(layers(), x, out, level === 0 ? { padding: 1 } : { padding: 1, stride: 2, bias: false })
    for (let i = 0; i < config.num_encoder_blocks[level]!; i++) x = block(layers(), x, out, config)
  }
  return { latents: conv2d(layers(), x, config.latent_channels, { padding: 1 }) }
}

function decode(scope: Scope, config: AutoencoderTinyConfig, inputs: Inputs<'z'>): Outputs<'sample'> {
  const z = required(inputs, 'z')
  imageDims(z, 'z', config.latent_channels, 'latent_channels')
  const channels = config.decoder_block_out_channels
  const layers = numbered(scope.at('decoder'))
  let x = conv2d(layers(), mul(tanh(div(z, 3)), 3), channels[0]!, { padding: 1 })
  layers() // the activation counts as a layer
  x = activation(config.act_fn, 'act_fn')(x)
  for (const [level, out] of channels.entries()) {
    for (let i = 0; i < config.num_decoder_blocks[level]!; i++) x = block(layers(), x, out, config)
    if (level === channels.length - 1) break
    layers() // so does the larger picture
    const [height, width] = sidesOf(x)
    x = interpolateNearest(x, height * config.upsampling_scaling_factor, width * config.upsampling_scaling_factor)
    x = conv2d(layers(), x, out, { padding: 1, bias: false })
  }
  const image = conv2d(layers(), x, config.out_channels, { padding: 1 })
  return { sample: sub(mul(image, 2), 1) }
}

/** The layers of a torch.nn.Sequential, one after the other. */
function numbered(scope: Scope): () => Scope {
  let next = 0
  return () => scope.at('layers', next++)
}

/** Three convolutions around which the input goes. Source: AutoencoderTinyBlock, of as many channels as before. */
function block(scope: Scope, input: Value, out: number, config: AutoencoderTinyConfig): Value {
  const act = activation(config.act_fn, 'act_fn')
  const conv = (index: number, x: Value): Value => conv2d(scope.at('conv', index), x, out, { padding: 1 })
  return relu(add(conv(4, act(conv(2, act(conv(0, input))))), input))
}
