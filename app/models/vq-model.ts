import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import {
  add,
  constant,
  conv2d,
  gather,
  groupNorm,
  mul,
  reduceMean,
  reshape,
  silu,
  sub,
  transpose,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims, showShape } from '#app/tensor/tensor.ts'
import { activationName } from './activation-name.ts'
import { pixelAttention } from './blocks/pixel-attention.ts'
import { downsample2d, resnetBlock, upsample2d } from './blocks/resnet.ts'
import { spatialNorm } from './blocks/spatial-norm.ts'
import { floats, imageSides, type Sizes } from './input-shapes.ts'
import { imageDims, required, type Inputs, type Model, type Outputs } from './model.ts'
import { spread } from './per-block.ts'

/** config.json of a VQModel, with the reference's defaults. */
const vqConfig = z.object({
  in_channels: z.int().default(3),
  out_channels: z.int().default(3),
  down_block_types: z.array(z.enum(['DownEncoderBlock2D', 'AttnDownEncoderBlock2D'])).default(['DownEncoderBlock2D']),
  up_block_types: z.array(z.enum(['UpDecoderBlock2D', 'AttnUpDecoderBlock2D'])).default(['UpDecoderBlock2D']),
  block_out_channels: z.array(z.int()).default([64]),
  layers_per_block: z.int().default(1),
  act_fn: activationName.default('silu'),
  latent_channels: z.int().default(3),
  num_vq_embeddings: z.int().default(256),
  norm_num_groups: z.int().default(32),
  vq_embed_dim: z.int().nullish(),
  scaling_factor: z.number().default(0.18215),
  norm_type: z.enum(['group', 'spatial']).default('group'),
  mid_block_add_attention: z.boolean().default(true),
  lookup_from_codebook: z.boolean().default(false),
})
export type VqConfig = z.infer<typeof vqConfig>

/** Of decode. */
const decodeArgs = z.strictObject({
  force_not_quantize: z.boolean().default(false),
  /** Of the latents that the codes stand for. */
  shape: z.array(z.int()).optional(),
})
type DecodeArgs = z.infer<typeof decodeArgs>

const epsilon = 1e-6
const codeDim = (config: VqConfig): number => config.vq_embed_dim ?? config.latent_channels

/**
 * VQModel: images to latents out of a codebook and back; Kandinsky's MoVQ with norm_type "spatial".
 * Papers: arXiv 1711.00937, 2209.09002. Reference: diffusers/src/diffusers/models/autoencoders/vq_model.py@58eb52c.
 *
 * N images, c latent channels, K codes.
 * encode: x (N, 3, H, W) -> latents (N, c, h, w).
 * quantize: h (N, c, h, w) -> quant (N, c, h, w), indices int64 (N * h * w), commit_loss (1).
 * decode: h, or z, (N, c, h, w) -> sample (N, 3, H, W), commit_loss (1); with the argument force_not_quantize the
 * latents are taken as they are, with a commit_loss of zeros (N), or, where the config has lookup_from_codebook, h
 * int64 (N, h, w) are codes.
 * forward: sample (N, 3, H, W) -> encoded, quantized and decoded.
 */
export const vqModel = {
  className: 'VQModel',
  config: vqConfig,
  methods: {
    encode: {
      build: (scope, config: VqConfig, inputs: Inputs<'x'>) => ({
        latents: encode(scope, config, required(inputs, 'x'), 'x'),
      }),
      inputsFor: (config, sizes) => ({ x: image(config, sizes) }),
    },
    quantize: {
      build: (scope, config: VqConfig, inputs: LatentInputs) => quantize(scope, config, latentsOf(config, inputs)),
      inputsFor: (config, sizes) => ({ h: latents(config, sizes) }),
    },
    decode: { build: decode, args: decodeArgs, inputsFor: (config, sizes) => ({ h: latents(config, sizes) }) },
    forward: { build: forward, inputsFor: (config, sizes) => ({ sample: image(config, sizes) }) },
  },
} satisfies Model<VqConfig>

type LatentInputs = Inputs<never, 'h' | 'z'>

const image = (config: VqConfig, sizes: Sizes) => floats(sizes.batch, config.in_channels, ...imageSides(config, sizes))
const latents = (config: VqConfig, { batch, height, width }: Sizes) => floats(batch, codeDim(config), height, width)

function latentsOf(config: VqConfig, inputs: LatentInputs): Value {
  const given = inputs.z ?? required(inputs, 'h')
  imageDims(given, inputs.z ? 'z' : 'h', codeDim(config), 'vq_embed_dim')
  return given
}

function forward(scope: Scope, config: VqConfig, inputs: Inputs<'sample'>): Outputs<'sample' | 'commit_loss'> {
  const encoded = encode(scope, config, required(inputs, 'sample'), 'sample')
  const { quant, commit_loss } = quantize(scope, config, encoded)
  return { sample: decoder(scope, config, quant), commit_loss }
}

function decode(
  scope: Scope,
  config: VqConfig,
  inputs: LatentInputs,
  args: DecodeArgs,
): Outputs<'sample' | 'commit_loss'> {
  if (!args.force_not_quantize) {
    const { quant, commit_loss } = quantize(scope, config, latentsOf(config, inputs))
    return { sample: decoder(scope, config, quant), commit_loss }
  }
  const taken = config.lookup_from_codebook
    ? codesOf(scope, config, required(inputs, 'h'), args)
    : latentsOf(config, inputs)
  const [images] = dims(taken, 4)
  return { sample: decoder(scope, config, taken), commit_loss: constant(taken, [images], new Float32Array(images)) }
}

/** Codes int64 (N, h, w), or in any shape with the argument shape [N, h, w, c] -> (N, c, h, w) */
function codesOf(scope: Scope, config: VqConfig, given: Value, { shape }: DecodeArgs): Value {
  const codes = shape === undefined ? given : reshape(given, shape.slice(0, 3))
  if (codes.dtype !== 'int64' || codes.shape.length !== 3)
    throw new ProblemError(
      'bad-input',
      `h has ${codes.dtype} and shape ${showShape(codes.shape)}; this model takes codes, int64 (batch, height, width)`,
      { field: 'h' },
    )
  return transpose(gather(codebook(scope, config), codes, 0), [0, 3, 1, 2])
}

const codebook = (scope: Scope, config: VqConfig): Value =>
  scope.at('quantize', 'embedding').weight('weight', [config.num_vq_embeddings, codeDim(config)])

/** Each pixel's latents replaced by the nearest code: the one with the largest z e - e^2 / 2. */
function quantize(scope: Scope, config: VqConfig, latents: Value): Outputs<'quant' | 'indices' | 'commit_loss'> {
  const { builder } = latents
  const table = codebook(scope, config) // (K, c)
  const last = transpose(latents, [0, 2, 3, 1])
  const pixels = reshape(last, [-1, codeDim(config)])
  const squares = mul(builder.emit('ReduceSum', [mul(table, table), builder.integers([1])]), 0.5) // (K, 1)
  const nearness = sub(builder.emit('Gemm', [pixels, table], { transB: 1 }), transpose(squares, [1, 0]))
  const indices = builder.emit('ArgMax', [nearness], { axis: 1, keepdims: 0 })
  const codes = gather(table, indices, 0)
  const difference = sub(codes, pixels)
  return {
    quant: transpose(reshape(add(pixels, difference), last.shape), [0, 3, 1, 2]),
    indices,
    // Both directions of the loss are one number without gradients, the second with a weight of 0.25.
    commit_loss: reshape(mul(reduceMean(mul(difference, difference), [0, 1]), 1.25), [1]),
  }
}

function encode(root: Scope, config: VqConfig, image: Value, name: string): Value {
  imageDims(image, name, config.in_channels, 'in_channels')
  const { block_out_channels: channels } = config
  spread(config.down_block_types.map(() => 0), channels.length, 'down_block_types') // prettier-ignore
  const scope = root.at('encoder')
  let x = conv2d(scope.at('conv_in'), image, channels[0]!, { padding: 1 })
  for (const [i, out] of channels.entries()) {
    const block = scope.at('down_blocks', i)
    for (let j = 0; j < config.layers_per_block; j++) {
      x = resnet(block.at('resnets', j), x, out, config)
      if (config.down_block_types[i]!.startsWith('Attn')) x = attention(block.at('attentions', j), x, config)
    }
    if (i < channels.length - 1) x = downsample2d(block.at('downsamplers', 0), x, out, 0)
  }
  x = midBlock(scope.at('mid_block'), x, config)
  x = silu(groupNorm(scope.at('conv_norm_out'), x, config.norm_num_groups, epsilon))
  x = conv2d(scope.at('conv_out'), x, config.latent_channels, { padding: 1 })
  return conv2d(root.at('quant_conv'), x, codeDim(config), { kernel: 1 })
}

function decoder(root: Scope, config: VqConfig, latents: Value): Value {
  const channels = config.block_out_channels.toReversed()
  spread(config.up_block_types.map(() => 0), channels.length, 'up_block_types') // prettier-ignore
  const scope = root.at('decoder')
  const steering = config.norm_type === 'spatial' ? latents : undefined
  let x = conv2d(root.at('post_quant_conv'), latents, config.latent_channels, { kernel: 1 })
  x = conv2d(scope.at('conv_in'), x, channels[0]!, { padding: 1 })
  x = midBlock(scope.at('mid_block'), x, config, steering)
  for (const [i, out] of channels.entries()) {
    const block = scope.at('up_blocks', i)
    for (let j = 0; j <= config.layers_per_block; j++) {
      x = resnet(block.at('resnets', j), x, out, config, steering)
      if (config.up_block_types[i]!.startsWith('Attn')) x = attention(block.at('attentions', j), x, config, steering)
    }
    if (i < channels.length - 1) x = upsample2d(block.at('upsamplers', 0), x, out)
  }
  const norm = scope.at('conv_norm_out')
  x = silu(steering ? spatialNorm(norm, x, steering) : groupNorm(norm, x, config.norm_num_groups, epsilon))
  return conv2d(scope.at('conv_out'), x, config.out_channels, { padding: 1 })
}

const resnet = (scope: Scope, x: Value, out: number, config: VqConfig, latents?: Value): Value =>
  resnetBlock(scope, x, { out, groups: config.norm_num_groups, epsilon, act: config.act_fn, latents })

const attention = (scope: Scope, x: Value, config: VqConfig, latents?: Value): Value =>
  pixelAttention(scope, x, { groups: config.norm_num_groups, epsilon, latents })

function midBlock(scope: Scope, input: Value, config: VqConfig, latents?: Value): Value {
  const channels = config.block_out_channels.at(-1)!
  const x = resnet(scope.at('resnets', 0), input, channels, config, latents)
  const attended = config.mid_block_add_attention ? attention(scope.at('attentions', 0), x, config, latents) : x
  return resnet(scope.at('resnets', 1), attended, channels, config, latents)
}
