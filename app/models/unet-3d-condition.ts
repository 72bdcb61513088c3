import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { add, conv2d, groupNorm, reshape, silu, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { dims, showShape } from '#app/tensor/tensor.ts'
import { activationName } from './activation-name.ts'
import { timestepEmbedding, timestepMlp } from './blocks/embeddings.ts'
import { applyFreeU } from './blocks/freeu.ts'
import { downsample2d, resnetBlock, sidesOf, upsample2d } from './blocks/resnet.ts'
import { temporalConv } from './blocks/temporal-conv.ts'
import { temporalTransformer } from './blocks/temporal-transformer.ts'
import { transformer2d } from './blocks/transformer-2d.ts'
import { clipTokens, conditionsFor, floats, latentSides, oneTimestep, type Sizes } from './input-shapes.ts'
import { required, timestepOf, type Inputs, type Model, type Outputs } from './model.ts'
import { spread } from './per-block.ts'

/** config.json of a UNet3DConditionModel, with the reference's defaults. */
const unet3dConfig = z.object({
  in_channels: z.int().default(4),
  out_channels: z.int().default(4),
  down_block_types: z
    .array(z.enum(['CrossAttnDownBlock3D', 'DownBlock3D']))
    .default(['CrossAttnDownBlock3D', 'CrossAttnDownBlock3D', 'CrossAttnDownBlock3D', 'DownBlock3D']),
  up_block_types: z
    .array(z.enum(['CrossAttnUpBlock3D', 'UpBlock3D']))
    .default(['UpBlock3D', 'CrossAttnUpBlock3D', 'CrossAttnUpBlock3D', 'CrossAttnUpBlock3D']),
  block_out_channels: z.array(z.int()).default([320, 640, 1280, 1280]),
  layers_per_block: z.int().default(2),
  downsample_padding: z.int().default(1),
  mid_block_scale_factor: z.number().default(1),
  act_fn: activationName.default('silu'),
  norm_num_groups: z.int('null is not supported: the residual blocks need a number').default(32),
  norm_eps: z.number().default(1e-5),
  cross_attention_dim: z.int().default(1024),
  attention_head_dim: z.int('must be one number').default(64),
  num_attention_heads: z.null('is not supported, as in diffusers: attention_head_dim stands for it').optional(),
  time_cond_proj_dim: z.int().nullish(),
})
export type UNet3DConfig = z.infer<typeof unet3dConfig>

/**
 * UNet3DConditionModel: text to video, a Stable Diffusion UNet with convolutions and transformers over time.
 * Paper: arXiv 2308.06571. Reference: diffusers/src/diffusers/models/unets/unet_3d_condition.py@58eb52c.
 *
 * B videos, F frames, L tokens, D their width. Inputs: sample (B, C, F, H, W); timestep (1) or (B);
 * encoder_hidden_states (B, L, D); optional: timestep_cond (B, c), down_block_additional_residuals.N and
 * mid_block_additional_residual (B * F, C', H', W'), freeu (4). Output: sample (B, C, F, H, W).
 */
export const unet3dConditionModel = {
  className: 'UNet3DConditionModel',
  config: unet3dConfig,
  methods: {
    forward: {
      build: forward,
      inputsFor,
      // The reference takes the first two and reads neither.
      ignoredInputs: ['attention_mask', 'class_labels', 'freeu'],
    },
  },
  hasFreeU: true,
} satisfies Model<UNet3DConfig>

type ForwardInputs = Inputs<
  'sample' | 'timestep' | 'encoder_hidden_states',
  | 'timestep_cond'
  | `down_block_additional_residuals.${number}`
  | 'mid_block_additional_residual'
  | 'attention_mask'
  | 'class_labels'
  | 'freeu'
>

function inputsFor(config: UNet3DConfig, sizes: Sizes) {
  const { batch, numFrames, tokens = clipTokens } = sizes
  return {
    sample: floats(batch, config.in_channels, numFrames, ...latentSides(config, sizes)),
    timestep: oneTimestep,
    encoder_hidden_states: floats(batch, tokens, config.cross_attention_dim),
    ...conditionsFor(config, batch),
  }
}

type Context = {
  readonly config: UNet3DConfig
  readonly numFrames: number
  readonly temb: Value
  readonly encoderHiddenStates: Value
  readonly freeu: Value | undefined
}

function forward(scope: Scope, config: UNet3DConfig, inputs: ForwardInputs): Outputs<'sample'> {
  const { block_out_channels: channels, norm_num_groups: groups } = config
  const last = channels.length - 1
  for (const key of ['down_block_types', 'up_block_types'] as const)
    spread(config[key].map(() => 0), channels.length, key) // prettier-ignore
  const sample = checkedSample(inputs, config)
  const [batch, , numFrames, height, width] = dims(sample, 5)
  const context: Context = {
    config,
    numFrames,
    temb: timeEmbedding(scope, config, inputs, batch),
    encoderHiddenStates: checkedContext(inputs, config, batch),
    freeu: inputs.freeu,
  }

  const frames = reshape(transpose(sample, [0, 2, 1, 3, 4]), [batch * numFrames, config.in_channels, height, width])
  let x = conv2d(scope.at('conv_in'), frames, channels[0]!, { padding: 1 })
  x = overTime(scope.at('transformer_in'), x, 8, config.attention_head_dim, context)

  let skips = [x]
  for (const [i, type] of config.down_block_types.entries()) {
    const block = scope.at('down_blocks', i)
    for (let j = 0; j < config.layers_per_block; j++) {
      x = layer(block, j, x, channels[i]!, context)
      if (type === 'CrossAttnDownBlock3D') x = attended(block, j, x, context)
      skips.push(x)
    }
    if (i === last) continue
    x = downsample2d(block.at('downsamplers', 0), x, channels[i]!, config.downsample_padding)
    skips.push(x)
  }
  skips = skips.map((skip, i) => {
    const residual = inputs[`down_block_additional_residuals.${i}`]
    return residual ? add(skip, residual) : skip
  })

  const mid = scope.at('mid_block')
  x = layer(mid, 0, x, channels[last]!, context, config.mid_block_scale_factor)
  x = layer(mid, 1, attended(mid, 0, x, context), channels[last]!, context, config.mid_block_scale_factor)
  if (inputs.mid_block_additional_residual) x = add(x, inputs.mid_block_additional_residual)

  for (const [i, type] of config.up_block_types.entries()) {
    const block = scope.at('up_blocks', i)
    const out = channels[last - i]!
    for (let j = 0; j <= config.layers_per_block; j++) {
      const [backbone, skip] = applyFreeU(block, i, context.freeu, x, skips.pop()!)
      x = layer(block, j, block.emit('Concat', [backbone, skip], { axis: 1 }), out, context)
      if (type === 'CrossAttnUpBlock3D') x = attended(block, j, x, context)
    }
    const next = skips.at(-1)
    if (i < last) x = upsample2d(block.at('upsamplers', 0), x, out, next && sidesOf(next))
  }

  x = silu(groupNorm(scope.at('conv_norm_out'), x, groups, config.norm_eps))
  x = conv2d(scope.at('conv_out'), x, config.out_channels, { padding: 1 })
  return { sample: transpose(reshape(x, [batch, numFrames, config.out_channels, height, width]), [0, 2, 1, 3, 4]) }
}

function checkedSample(inputs: ForwardInputs, { in_channels }: UNet3DConfig): Value {
  const sample = required(inputs, 'sample')
  if (sample.shape.length === 5 && sample.shape[1] === in_channels) return sample
  throw new ProblemError(
    'bad-input',
    `sample has shape ${showShape(sample.shape)}; it must be (batch, channel, num_frames, height, width) with ${in_channels} channels (in_channels)`,
    { field: 'sample' },
  )
}

function checkedContext(inputs: ForwardInputs, { cross_attention_dim }: UNet3DConfig, batch: number): Value {
  const states = required(inputs, 'encoder_hidden_states')
  if (states.shape.length === 3 && states.shape[0] === batch && states.shape[2] === cross_attention_dim) return states
  throw new ProblemError(
    'bad-input',
    `encoder_hidden_states has shape ${showShape(states.shape)}; it must be (${batch}, tokens, ${cross_attention_dim}) (cross_attention_dim): this text encoder does not fit this UNet`,
    { field: 'encoder_hidden_states' },
  )
}

function timeEmbedding(scope: Scope, config: UNet3DConfig, inputs: ForwardInputs, batch: number): Value {
  const first = config.block_out_channels[0]!
  const at = scope.at('time_embedding')
  const condition = config.time_cond_proj_dim == null ? undefined : inputs.timestep_cond
  // Without a condition the projection has no work, but its key has its place.
  if (config.time_cond_proj_dim != null) at.at('cond_proj').weight('weight', [first, config.time_cond_proj_dim])
  return timestepMlp(at, timestepEmbedding(timestepOf(inputs, batch), first), first * 4, {
    act: config.act_fn,
    condition,
  })
}

/** A residual block in space and a convolution in time. */
function layer(scope: Scope, i: number, x: Value, out: number, context: Context, outputScaleFactor = 1): Value {
  const { config, numFrames, temb } = context
  const { norm_num_groups: groups, norm_eps: epsilon, act_fn: act } = config
  const spatial = resnetBlock(scope.at('resnets', i), x, { out, groups, epsilon, act, temb, outputScaleFactor })
  return temporalConv(scope.at('temp_convs', i), spatial, numFrames, groups)
}

/**
 * A transformer in space and one in time. An old slip in the format: attention_head_dim is here what it says, over all
 * heads that fit.
 */
function attended(scope: Scope, i: number, x: Value, context: Context): Value {
  const { config, encoderHiddenStates } = context
  const headDim = config.attention_head_dim
  const [, channels] = dims(x, 4)
  const heads = Math.floor(channels / headDim)
  const spatial = transformer2d(scope.at('attentions', i), x, {
    heads,
    headDim,
    layers: 1,
    groups: config.norm_num_groups,
    useLinearProjection: true,
    encoderHiddenStates,
  })
  return overTime(scope.at('temp_attentions', i), spatial, heads, headDim, context)
}

const overTime = (scope: Scope, x: Value, heads: number, headDim: number, { config, numFrames }: Context): Value =>
  temporalTransformer(scope, x, {
    numFrames,
    heads,
    headDim,
    layers: 1,
    groups: config.norm_num_groups,
    secondAttention: true,
    activation: 'geglu',
  })
