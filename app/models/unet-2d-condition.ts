import { ProblemError } from '#app/contract/errors.ts'
import { activation, add, conv2d, groupNorm, mul, type Scope, type Value } from '#app/graph/index.ts'
import { sameShape, showShape } from '#app/tensor/tensor.ts'
import { addedKvAttention } from './blocks/added-kv-attention.ts'
import { attentionBias } from './blocks/attention-mask.ts'
import { applyFreeU } from './blocks/freeu.ts'
import { imagePrompts, type ImagePrompt } from './blocks/ip-adapter.ts'
import { downsample2d, resnetBlock, sidesOf, upsample2d, type ResnetOptions } from './blocks/resnet.ts'
import { transformer2d } from './blocks/transformer-2d.ts'
import { imageDims, required, type Model, type Outputs } from './model.ts'
import { levels2d, unet2dConfig, type Level2D, type UNet2DConfig } from './unet-2d-config.ts'
import { conditionEmbedding, contextOf, withHint } from './unet-2d-embeddings.ts'
import { sampleChannels, unet2dInputsFor, type UNet2DInputs } from './unet-2d-inputs.ts'

/**
 * UNet2DConditionModel: Stable Diffusion 1, 2 and XL, and Kandinsky's image-conditioned decoder. Papers:
 * arXiv 2112.10752, 2307.01952, 2204.06125. Reference:
 * diffusers/src/diffusers/models/unets/unet_2d_condition.py@58eb52c.
 *
 * B images, C channels, L tokens, D their width. Inputs: sample (B, C, H, W); timestep (1) or (B);
 * encoder_hidden_states (B, L, D) where the model looks at text. As the config asks: class_labels, timestep_cond,
 * added_cond_kwargs.text_embeds, .time_ids, .image_embeds, .hint. Optional: attention_mask over pixels and
 * encoder_attention_mask over text, (B, tokens) with 1 to keep; down_block_additional_residuals.N and
 * mid_block_additional_residual (ControlNet); down_intrablock_additional_residuals.N (T2I-Adapter); freeu (4); and
 * where there are IP-Adapters added_cond_kwargs.image_embeds.N and ip_adapter_scale. Output: sample (B, C, H, W).
 */
export const unet2dConditionModel = {
  className: 'UNet2DConditionModel',
  config: unet2dConfig,
  methods: {
    forward: {
      build: forward,
      inputsFor: unet2dInputsFor,
      ignoredInputs: ['encoder_hidden_states', 'encoder_attention_mask', 'attention_mask', 'class_labels', 'freeu'],
    },
  },
  hasFreeU: true,
} satisfies Model<UNet2DConfig>

export type Context = {
  readonly config: UNet2DConfig
  readonly temb: Value
  readonly encoderHiddenStates: Value | undefined
  /** Rows that the context must have; each serves a run of the hidden states' rows. */
  readonly contextRows: number
  readonly mask: Value | undefined
  readonly encoderMask: Value | undefined
  readonly freeu: Value | undefined
  readonly imagePrompts?: readonly ImagePrompt[]
}

function forward(scope: Scope, config: UNet2DConfig, inputs: UNet2DInputs): Outputs<'sample'> {
  const { down, mid, up } = levels2d(config)
  const given = required(inputs, 'sample')
  const [batch, , height, width] = imageDims(given, 'sample', sampleChannels(config), 'in_channels')
  checkSize(height, width, down, up)
  const { attention_mask: mask, encoder_attention_mask: encoderMask } = inputs
  const context: Context = {
    config,
    temb: conditionEmbedding(scope, config, inputs, batch),
    encoderHiddenStates: contextOf(scope, config, inputs),
    contextRows: batch,
    mask: mask && attentionBias(mask, 'attention_mask'),
    encoderMask: encoderMask && attentionBias(encoderMask, 'encoder_attention_mask'),
    freeu: inputs.freeu,
    imagePrompts: imagePrompts(scope, inputs),
  }

  const centred = config.center_input_sample ? add(mul(given, 2), -1) : given
  const sample = withHint(scope, config, centred, inputs)
  const same = (kernel: number): { kernel: number; padding: number } => ({ kernel, padding: (kernel - 1) >> 1 })
  let x = conv2d(scope.at('conv_in'), sample, config.block_out_channels[0]!, same(config.conv_in_kernel))

  const control = residuals(inputs)
  const adapters = [...control.intrablock]
  let skips = [x]
  for (const [i, level] of down.entries()) {
    const states = downBlock(scope.at('down_blocks', i), x, level, context, i === down.length - 1, adapters.shift())
    x = states.at(-1)!
    skips.push(...states)
  }
  skips = skips.map((skip, i) => (control.skips[i] ? add(skip, control.skips[i]) : skip))

  if (mid) x = midBlock(scope.at('mid_block'), x, mid, context)
  const [atMid] = adapters
  if (atMid && sameShape(atMid.shape, x.shape)) x = add(x, atMid)
  if (control.mid) x = add(x, control.mid)

  for (const [i, level] of up.entries()) {
    const used = skips.splice(-level.resnets)
    const next = skips.at(-1)
    x = upBlock(scope.at('up_blocks', i), x, used, level, context, i, next && sidesOf(next))
  }

  const normalized = groupNorm(scope.at('conv_norm_out'), x, config.norm_num_groups, config.norm_eps)
  x = activation(config.act_fn, 'act_fn')(normalized)
  return { sample: conv2d(scope.at('conv_out'), x, config.out_channels, same(config.conv_out_kernel)) }
}

/** Blocks that resample by 2 in their residual path cannot meet another size again on the way up. */
function checkSize(height: number, width: number, down: readonly Level2D[], up: readonly Level2D[]): void {
  const factor = 2 ** (up.length - 1)
  if (![...down, ...up].some(({ kind }) => kind === 'resnet' || kind === 'simple')) return
  if (height % factor === 0 && width % factor === 0) return
  throw new ProblemError(
    'bad-input',
    `sample is ${height} high and ${width} wide; this model takes multiples of ${factor}`,
    { field: 'sample' },
  )
}

/**
 * ControlNet's residuals come with one for the middle; without it they are an adapter's, as older callers gave them.
 */
function residuals(inputs: UNet2DInputs): { skips: Value[]; mid: Value | undefined; intrablock: Value[] } {
  const listed = (name: 'down_block_additional_residuals' | 'down_intrablock_additional_residuals'): Value[] => {
    const found: Value[] = []
    for (let next = inputs[`${name}.0`]; next; next = inputs[`${name}.${found.length}`]) found.push(next)
    return found
  }
  const skips = listed('down_block_additional_residuals')
  const intrablock = listed('down_intrablock_additional_residuals')
  const mid = inputs.mid_block_additional_residual
  if (mid && skips.length > 0) return { skips, mid, intrablock }
  return { skips: [], mid: undefined, intrablock: intrablock.length > 0 ? intrablock : skips }
}

/** One resolution going down: the state after each layer, and after the downsampler. */
export function downBlock(
  scope: Scope,
  input: Value,
  level: Level2D,
  context: Context,
  isLast: boolean,
  adapter: Value | undefined,
): Value[] {
  const { kind, channels } = level
  if (adapter && kind === 'simple')
    throw new ProblemError('bad-input', 'down_intrablock_additional_residuals do not fit this model', {
      field: 'down_intrablock_additional_residuals',
    })
  const states: Value[] = []
  let x = input
  for (let i = 0; i < level.resnets; i++) {
    x = resnet(scope.at('resnets', i), x, level, context)
    x = attended(scope.at('attentions', i), x, level, i, context)
    if (adapter && kind === 'cross' && i === level.resnets - 1) x = add(x, adapter)
    states.push(x)
  }
  if (!isLast) {
    const down = scope.at('downsamplers', 0)
    const padding = context.config.downsample_padding
    const resampling = kind === 'resnet' || kind === 'simple'
    states.push(
      resampling ? resnet(down, x, level, context, { resample: 'down' }) : downsample2d(down, x, channels, padding),
    )
  }
  return adapter && kind !== 'cross' ? [...states.slice(0, -1), add(states.at(-1)!, adapter)] : states
}

export function midBlock(scope: Scope, input: Value, level: Level2D, context: Context): Value {
  const factor = { outputScaleFactor: context.config.mid_block_scale_factor }
  const x = resnet(scope.at('resnets', 0), input, level, context, factor)
  if (level.kind === 'plain') return x
  // In the middle the flag is for attention over pixels and context together.
  const attention = level.kind === 'cross' ? { ...level, onlyCrossAttention: false } : level
  return resnet(
    scope.at('resnets', 1),
    attended(scope.at('attentions', 0), x, attention, 0, context),
    level,
    context,
    factor,
  )
}

/** One resolution going up; `skips` are the states of the way down, the last one first. */
function upBlock(
  scope: Scope,
  input: Value,
  skips: readonly Value[],
  level: Level2D,
  context: Context,
  index: number,
  size: readonly [number, number] | undefined,
): Value {
  const resampling = level.kind === 'resnet' || level.kind === 'simple'
  let x = input
  for (let i = 0; i < level.resnets; i++) {
    const [backbone, skip] = applyFreeU(scope, index, resampling ? undefined : context.freeu, x, skips.at(-1 - i)!)
    const joined = scope.emit('Concat', [backbone, skip], { axis: 1 })
    x = resnet(scope.at('resnets', i), joined, level, context)
    x = attended(scope.at('attentions', i), x, level, i, context)
  }
  if (!size) return x
  const up = scope.at('upsamplers', 0)
  return resampling ? resnet(up, x, level, context, { resample: 'up' }) : upsample2d(up, x, level.channels, size)
}

function resnet(
  scope: Scope,
  x: Value,
  { kind, channels }: Level2D,
  { config, temb }: Context,
  more: Pick<ResnetOptions, 'resample' | 'outputScaleFactor'> = {},
): Value {
  const resampling = kind === 'resnet' || kind === 'simple'
  return resnetBlock(scope, x, {
    out: channels,
    groups: config.norm_num_groups,
    epsilon: config.norm_eps,
    act: config.act_fn,
    temb,
    timeScaleShift: config.resnet_time_scale_shift,
    skipTimeAct: resampling && config.resnet_skip_time_act,
    outputScaleFactor: resampling ? config.resnet_out_scale_factor : 1,
    ...more,
  })
}

/** The attention of one layer, where its level has some. */
function attended(scope: Scope, x: Value, level: Level2D, i: number, context: Context): Value {
  if (level.kind !== 'cross' && level.kind !== 'simple') return x
  const { config, mask, encoderMask } = context
  const encoderHiddenStates = checkedContext(context, level)
  if (level.kind === 'simple')
    return addedKvAttention(scope, x, {
      heads: Math.floor(level.channels / level.headDim),
      headDim: level.headDim,
      groups: config.norm_num_groups,
      encoderHiddenStates,
      onlyCrossAttention: level.onlyCrossAttention,
      crossNorm: config.cross_attention_norm ?? null,
      // As in the reference: a mask over the context may come under either name.
      mask: mask ?? encoderMask,
    })
  return transformer2d(scope, x, {
    heads: level.heads,
    layers: level.transformerLayers[i]!,
    groups: config.norm_num_groups,
    useLinearProjection: config.use_linear_projection,
    encoderHiddenStates,
    onlyCrossAttention: level.onlyCrossAttention,
    mask,
    encoderMask,
    imagePrompts: context.imagePrompts,
  })
}

function checkedContext({ encoderHiddenStates: states, contextRows: rows }: Context, { contextDim }: Level2D): Value {
  if (states?.shape.length === 3 && states.shape[0] === rows && states.shape[2] === contextDim) return states
  throw new ProblemError(
    'bad-input',
    states
      ? `encoder_hidden_states has shape ${showShape(states.shape)}; it must be (${rows}, tokens, ${contextDim}) (cross_attention_dim): this text encoder does not fit this UNet`
      : 'the input "encoder_hidden_states" is missing',
    { field: 'encoder_hidden_states' },
  )
}
