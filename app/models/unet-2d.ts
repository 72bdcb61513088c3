import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { add, concat, conv2d, groupNorm, mul, silu, type Scope, type Value } from '#app/graph/index.ts'
import { activationName } from './activation-name.ts'
import { timestepEmbedding, timestepMlp } from './blocks/embeddings.ts'
import { pixelAttention } from './blocks/pixel-attention.ts'
import { downsample2d, resnetBlock, upsample2d } from './blocks/resnet.ts'
import { floats, latentSides, oneTimestep, type Sizes } from './input-shapes.ts'
import { imageDims, required, timestepOf, type Inputs, type Model, type Outputs } from './model.ts'
import { spread } from './per-block.ts'

const downKinds = { DownBlock2D: 'plain', AttnDownBlock2D: 'attention', ResnetDownsampleBlock2D: 'resnet' } as const
const upKinds = { UpBlock2D: 'plain', AttnUpBlock2D: 'attention', ResnetUpsampleBlock2D: 'resnet' } as const
type Kind = 'plain' | 'attention' | 'resnet'

const keysOf = <K extends string>(table: Readonly<Record<K, Kind>>) => z.enum(Object.keys(table) as [K, ...K[]])
const resampling = z.enum(['conv', 'resnet']).default('conv')

/** config.json of a UNet2DModel, with the reference's defaults. */
const unet2dModelConfig = z.object({
  in_channels: z.int().default(3),
  out_channels: z.int().default(3),
  center_input_sample: z.boolean().default(false),
  time_embedding_type: z.literal('positional', 'only "positional" is supported').default('positional'),
  time_embedding_dim: z.int().nullish(),
  freq_shift: z.number().default(0),
  flip_sin_to_cos: z.boolean().default(true),
  down_block_types: z
    .array(keysOf(downKinds))
    .default(['DownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D']),
  mid_block_type: z.literal('UNetMidBlock2D').nullable().default('UNetMidBlock2D'),
  up_block_types: z.array(keysOf(upKinds)).default(['AttnUpBlock2D', 'AttnUpBlock2D', 'AttnUpBlock2D', 'UpBlock2D']),
  block_out_channels: z.array(z.int()).default([224, 448, 672, 896]),
  layers_per_block: z.int().default(2),
  mid_block_scale_factor: z.number().default(1),
  downsample_padding: z.int().default(1),
  downsample_type: resampling,
  upsample_type: resampling,
  act_fn: activationName.default('silu'),
  attention_head_dim: z.int().nullable().default(8),
  norm_num_groups: z.int('null is not supported: the residual blocks need a number').default(32),
  attn_norm_num_groups: z.int().nullish(),
  norm_eps: z.number().default(1e-5),
  resnet_time_scale_shift: z.enum(['default', 'scale_shift']).default('default'),
  add_attention: z.boolean().default(true),
  class_embed_type: z.null('is not supported').optional(),
  num_class_embeds: z.null('is not supported').optional(),
})
export type UNet2DModelConfig = z.infer<typeof unet2dModelConfig>

/**
 * UNet2DModel: pixels without a text, as unCLIP makes small pictures larger with it. Papers: arXiv 2006.11239,
 * 2204.06125. Reference: diffusers/src/diffusers/models/unets/unet_2d.py@58eb52c.
 *
 * B images, C channels. Inputs: sample (B, C, H, W); timestep (1) or (B). Output: sample (B, out_channels, H, W).
 */
export const unet2dModel = {
  className: 'UNet2DModel',
  config: unet2dModelConfig,
  methods: { forward: { build: forward, inputsFor } },
} satisfies Model<UNet2DModelConfig>

function inputsFor(config: UNet2DModelConfig, sizes: Sizes) {
  return { sample: floats(sizes.batch, config.in_channels, ...latentSides(config, sizes)), timestep: oneTimestep }
}

type Context = { readonly config: UNet2DModelConfig; readonly temb: Value }

function forward(scope: Scope, config: UNet2DModelConfig, inputs: Inputs<'sample' | 'timestep'>): Outputs<'sample'> {
  const { block_out_channels: channels, down_block_types: down, up_block_types: up } = config
  for (const [key, types] of Object.entries({ down_block_types: down, up_block_types: up }))
    spread(types.map(() => 0), channels.length, key) // prettier-ignore
  const given = required(inputs, 'sample')
  const [batch, , height, width] = imageDims(given, 'sample', config.in_channels, 'in_channels')
  const factor = 2 ** (channels.length - 1)
  if (height % factor !== 0 || width % factor !== 0)
    throw new ProblemError(
      'bad-input',
      `sample is ${height} high and ${width} wide; this model takes multiples of ${factor}`,
      { field: 'sample' },
    )

  // 1. time
  const { flip_sin_to_cos: flip, freq_shift: shift } = config
  const time = timestepEmbedding(timestepOf(inputs, batch), channels[0]!, { flip, shift })
  const temb = timestepMlp(scope.at('time_embedding'), time, config.time_embedding_dim ?? 4 * channels[0]!)
  const context = { config, temb }

  // 2. pre-process
  const sample = config.center_input_sample ? add(mul(given, 2), -1) : given
  let x = conv2d(scope.at('conv_in'), sample, channels[0]!, { padding: 1 })

  // 3. down
  const skips = [x]
  for (const [i, type] of down.entries()) {
    const isLast = i === down.length - 1
    skips.push(...downBlock(scope.at('down_blocks', i), x, downKinds[type], channels[i]!, isLast, context))
    x = skips.at(-1)!
  }

  // 4. mid
  if (config.mid_block_type) x = midBlock(scope.at('mid_block'), x, context)

  // 5. up
  for (const [i, type] of up.entries()) {
    const block = scope.at('up_blocks', i)
    const used = skips.splice(-(config.layers_per_block + 1))
    x = upBlock(block, x, used, upKinds[type], channels.at(-1 - i)!, i === up.length - 1, context)
  }

  // 6. post-process
  x = silu(groupNorm(scope.at('conv_norm_out'), x, config.norm_num_groups, config.norm_eps))
  return { sample: conv2d(scope.at('conv_out'), x, config.out_channels, { padding: 1 }) }
}

/** One resolution going down: the state after each layer, and after the downsampler. */
function downBlock(
  scope: Scope,
  input: Value,
  kind: Kind,
  channels: number,
  isLast: boolean,
  context: Context,
): Value[] {
  const { config } = context
  const states: Value[] = []
  let x = input
  for (let i = 0; i < config.layers_per_block; i++) {
    x = resnet(scope.at('resnets', i), x, channels, context)
    if (kind === 'attention') x = attention(scope.at('attentions', i), x, config.norm_num_groups, config)
    states.push(x)
  }
  if (isLast) return states
  const down = scope.at('downsamplers', 0)
  const byResnet = kind === 'resnet' || (kind === 'attention' && config.downsample_type === 'resnet')
  const smaller = byResnet
    ? resnet(down, x, channels, context, { resample: 'down' })
    : downsample2d(down, x, channels, config.downsample_padding)
  return [...states, smaller]
}

function midBlock(scope: Scope, input: Value, context: Context): Value {
  const { config } = context
  const channels = config.block_out_channels.at(-1)!
  const outputScaleFactor = config.mid_block_scale_factor
  const groups =
    config.attn_norm_num_groups ?? (config.resnet_time_scale_shift === 'default' ? config.norm_num_groups : null)
  let x = resnet(scope.at('resnets', 0), input, channels, context, { outputScaleFactor })
  if (config.add_attention) x = attention(scope.at('attentions', 0), x, groups, config, outputScaleFactor)
  return resnet(scope.at('resnets', 1), x, channels, context, { outputScaleFactor })
}

/** One resolution going up; `skips` are the states of the way down, the last one first. */
function upBlock(
  scope: Scope,
  input: Value,
  skips: readonly Value[],
  kind: Kind,
  channels: number,
  isLast: boolean,
  context: Context,
): Value {
  const { config } = context
  let x = input
  for (let i = 0; i <= config.layers_per_block; i++) {
    x = resnet(scope.at('resnets', i), concat([x, skips.at(-1 - i)!], 1), channels, context)
    if (kind === 'attention') x = attention(scope.at('attentions', i), x, config.norm_num_groups, config)
  }
  if (isLast) return x
  const up = scope.at('upsamplers', 0)
  const byResnet = kind === 'resnet' || (kind === 'attention' && config.upsample_type === 'resnet')
  return byResnet ? resnet(up, x, channels, context, { resample: 'up' }) : upsample2d(up, x, channels)
}

function resnet(
  scope: Scope,
  x: Value,
  out: number,
  { config, temb }: Context,
  more: { resample?: 'up' | 'down'; outputScaleFactor?: number } = {},
): Value {
  return resnetBlock(scope, x, {
    out,
    groups: config.norm_num_groups,
    epsilon: config.norm_eps,
    act: config.act_fn,
    temb,
    timeScaleShift: config.resnet_time_scale_shift,
    ...more,
  })
}

function attention(
  scope: Scope,
  x: Value,
  groups: number | null,
  { norm_eps: epsilon, attention_head_dim: headDim }: UNet2DModelConfig,
  outputScaleFactor = 1,
): Value {
  const channels = x.shape[1]!
  return pixelAttention(scope, x, { groups, epsilon, headDim: headDim ?? channels, outputScaleFactor })
}
