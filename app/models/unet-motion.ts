import { ProblemError } from '#app/contract/errors.ts'
import {
  add,
  cast,
  concat,
  conv2d,
  groupNorm,
  reshape,
  silu,
  transpose,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims, showShape } from '#app/tensor/tensor.ts'
import { attentionBias } from './blocks/attention-mask.ts'
import { timestepEmbedding, timestepMlp } from './blocks/embeddings.ts'
import { applyFreeU } from './blocks/freeu.ts'
import { imagePrompts, type ImagePrompt, type ImagePromptInputs } from './blocks/ip-adapter.ts'
import { motionModule } from './blocks/motion-module.ts'
import { downsample2d, resnetBlock, sidesOf, upsample2d } from './blocks/resnet.ts'
import { inSplits } from './blocks/splits.ts'
import { transformer2d } from './blocks/transformer-2d.ts'
import { clipTokens, conditionsFor, floats, latentSides, oneTimestep, type Sizes } from './input-shapes.ts'
import { inputDims, required, timestepOf, type Inputs, type Model, type Outputs } from './model.ts'
import { levels, unetMotionConfig, type Level, type UNetMotionConfig } from './unet-motion-config.ts'

/**
 * UNetMotionModel: Stable Diffusion's UNet with AnimateDiff's motion modules between its layers.
 *
 * Papers: arXiv 2307.04725 (AnimateDiff), 2112.10752 (latent diffusion), 2309.11497 (FreeU).
 * Reference: diffusers/src/diffusers/models/unets/unet_motion_model.py@58eb52c.
 *
 * B videos, F frames, C channels, H height, W width of the latents, L tokens, D their width, E the time embedding's
 * width.
 *
 * Inputs: sample (B, C, F, H, W); timestep (1) or (B); encoder_hidden_states (B, L, D), or (B * F, L, D) for one prompt
 * a frame; optional: timestep_cond (B, c), attention_mask (B * F, H * W) over the pixels (as many at all levels with
 * attention: a mask fits models with one), added_cond_kwargs.text_embeds (B, d) and .time_ids (B, n),
 * down_block_additional_residuals.N and mid_block_additional_residual (B * F, C', H', W'), freeu (4), and where there
 * are IP-Adapters added_cond_kwargs.image_embeds.N and ip_adapter_scale (see blocks/ip-adapter.ts). Output: sample
 * (B, C, F, H, W).
 */
export const unetMotionModel = {
  className: 'UNetMotionModel',
  config: unetMotionConfig,
  methods: { forward: { build: forward, inputsFor } },
  hasFreeU: true,
} satisfies Model<UNetMotionConfig>

type ForwardInputs = Inputs<
  'sample' | 'timestep' | 'encoder_hidden_states',
  | 'timestep_cond'
  | 'attention_mask'
  | 'added_cond_kwargs.text_embeds'
  | 'added_cond_kwargs.time_ids'
  | Residual
  | 'freeu'
> &
  ImagePromptInputs
type Residual = `down_block_additional_residuals.${number}` | 'mid_block_additional_residual'

function inputsFor(config: UNetMotionConfig, sizes: Sizes) {
  const { batch, numFrames, tokens = clipTokens } = sizes
  return {
    sample: floats(batch, config.in_channels, numFrames, ...latentSides(config, sizes)),
    timestep: oneTimestep,
    // The last is the middle's, which always looks at it.
    encoder_hidden_states: floats(batch, tokens, [config.cross_attention_dim].flat().at(-1)!),
    ...conditionsFor(config, batch),
  }
}

export type Context = {
  readonly config: UNetMotionConfig
  readonly numFrames: number
  readonly temb: Value
  readonly encoderHiddenStates: Value
  readonly mask: Value | undefined
  readonly freeu: Value | undefined
  readonly imagePrompts?: readonly ImagePrompt[]
  /** The motion modules have a second attention layer over time; SparseCtrl's have one. */
  readonly doubleSelfAttention?: boolean
}

function forward(scope: Scope, config: UNetMotionConfig, inputs: ForwardInputs): Outputs<'sample'> {
  const { down, mid, up } = levels(config)
  const sample = required(inputs, 'sample')
  checkSample(sample, config, scope.options.freeNoise?.contextLength)
  const [batch, channels, numFrames, height, width] = dims(sample, 5)

  // 1. time
  const temb = timeEmbedding(scope, config, inputs, batch) // (1 or B, E)
  const context: Context = {
    config,
    numFrames,
    temb,
    encoderHiddenStates: checkedContext(inputs, batch, numFrames),
    mask: inputs.attention_mask && attentionBias(inputs.attention_mask, 'attention_mask'),
    freeu: inputs.freeu,
    imagePrompts: imagePrompts(scope, inputs),
  }

  // 2. pre-process
  const frames = reshape(transpose(sample, [0, 2, 1, 3, 4]), [batch * numFrames, channels, height, width])
  let x = conv2d(scope.at('conv_in'), frames, config.block_out_channels[0]!, { padding: 1 })

  // 3. down
  let skips = [x]
  for (const [i, level] of down.entries()) {
    const states = downBlock(scope.at('down_blocks', i), x, level, context, i === down.length - 1)
    x = states.at(-1)!
    skips.push(...states)
  }
  skips = withResiduals(skips, inputs)

  // 4. mid
  x = midBlock(scope.at('mid_block'), x, mid, context)
  x = withResidual(x, inputs, 'mid_block_additional_residual')

  // 5. up
  for (const [i, level] of up.entries()) {
    const used = skips.splice(-level.resnets)
    const next = skips.at(-1)
    x = upBlock(scope.at('up_blocks', i), x, used, level, context, i, next && sidesOf(next))
  }

  // 6. post-process
  if (config.norm_num_groups !== null)
    x = silu(groupNorm(scope.at('conv_norm_out'), x, config.norm_num_groups, config.norm_eps))
  x = conv2d(scope.at('conv_out'), x, config.out_channels, { padding: 1 })
  return { sample: transpose(reshape(x, [batch, numFrames, config.out_channels, height, width]), [0, 2, 1, 3, 4]) }
}

/** `window`: the frames that the motion modules see at once, where those are not all. */
function checkSample(sample: Value, config: UNetMotionConfig, window?: number): void {
  const [, channels, numFrames] = inputDims(sample, 'sample', ['batch', 'channel', 'num_frames', 'height', 'width'])
  const refuse = (message: string): never => {
    throw new ProblemError('bad-input', message, { field: 'sample' })
  }
  if (channels !== config.in_channels)
    refuse(`sample has ${channels} channels where the model takes ${config.in_channels} (in_channels)`)
  if ((window ?? numFrames) > config.motion_max_seq_length)
    refuse(
      `${window === undefined ? `sample has ${numFrames}` : `a window has ${window}`} frames; the motion modules take at most ${config.motion_max_seq_length} (motion_max_seq_length)`,
    )
}

export function checkedContext(inputs: Inputs<'encoder_hidden_states'>, batch: number, numFrames: number): Value {
  const states = required(inputs, 'encoder_hidden_states')
  if (states.shape.length === 3 && (states.shape[0] === batch || states.shape[0] === batch * numFrames)) return states
  throw new ProblemError(
    'bad-input',
    `encoder_hidden_states has shape ${showShape(states.shape)}; it must have ${batch} rows (one prompt a video) or ${batch * numFrames} (one a frame)`,
    { field: 'encoder_hidden_states' },
  )
}

function timeEmbedding(scope: Scope, config: UNetMotionConfig, inputs: ForwardInputs, batch: number): Value {
  const first = config.block_out_channels[0]!
  const condition = config.time_cond_proj_dim == null ? undefined : inputs.timestep_cond
  if (condition) checkRows(condition, 'timestep_cond', [1, batch], config.time_cond_proj_dim!)
  // Without a condition the projection has no work, but its key has its place.
  if (config.time_cond_proj_dim != null)
    scope.at('time_embedding', 'cond_proj').weight('weight', [first, config.time_cond_proj_dim])
  const temb = timestepMlp(scope.at('time_embedding'), timestepEmbedding(timestepOf(inputs, batch), first), first * 4, {
    act: config.act_fn,
    condition,
  })
  if (config.addition_embed_type !== 'text_time') return temb

  const why = 'config.json has addition_embed_type "text_time"'
  const textEmbeds = required(inputs, 'added_cond_kwargs.text_embeds', why)
  const timeIds = cast(required(inputs, 'added_cond_kwargs.time_ids', why), 'float32')
  const timeWidth = config.addition_time_embed_dim!
  const [rows, numbers] = [timeIds.shape[0]!, timeIds.shape[1] ?? 0]
  checkRows(timeIds, 'added_cond_kwargs.time_ids', [1, batch], numbers)
  const textWidth = config.projection_class_embeddings_input_dim! - numbers * timeWidth
  checkRows(textEmbeds, 'added_cond_kwargs.text_embeds', [rows], textWidth)
  const timeEmbeds = timestepEmbedding(reshape(timeIds, [-1]), timeWidth)
  const added = concat([textEmbeds, reshape(timeEmbeds, [rows, -1])], 1)
  return add(temb, timestepMlp(scope.at('add_embedding'), added, first * 4))
}

function checkRows({ shape }: Value, name: string, rows: readonly number[], width: number): void {
  if (shape.length === 2 && rows.includes(shape[0]!) && shape[1] === width) return
  throw new ProblemError('bad-input', `${name} has shape ${showShape(shape)}; it must be (${rows.at(-1)}, ${width})`, {
    field: name,
  })
}

/** ControlNet's residuals, one for each state, or none. */
function withResiduals(skips: Value[], inputs: ForwardInputs): Value[] {
  const names = skips.map((_, i) => `down_block_additional_residuals.${i}` as const)
  if (!names.some((name) => inputs[name])) return skips
  return skips.map((skip, i) => {
    required(inputs, names[i]!, `the UNet has ${skips.length} states, and each takes one`)
    return withResidual(skip, inputs, names[i]!)
  })
}

function withResidual(x: Value, inputs: ForwardInputs, name: Residual): Value {
  const residual = inputs[name]
  if (!residual) return x
  if (residual.shape.length !== 4 || residual.shape.some((size, axis) => size !== 1 && size !== x.shape[axis]))
    throw new ProblemError(
      'bad-input',
      `${name} has shape ${showShape(residual.shape)}; it must be ${showShape(x.shape)}`,
      { field: name },
    )
  return add(x, residual)
}

/** One resolution going down: the state after each layer, and after the downsampler. */
export function downBlock(scope: Scope, input: Value, level: Level, context: Context, isLast: boolean): Value[] {
  const states: Value[] = []
  let x = input
  for (let i = 0; i < level.resnets; i++) {
    x = resnet(scope.at('resnets', i), x, level.channels, context)
    if (level.crossAttention) x = spatialTransformer(scope.at('attentions', i), x, level, i, context)
    x = temporalTransformer(scope.at('motion_modules', i), x, level, i, context)
    states.push(x)
  }
  const { downsample_padding: padding } = context.config
  const sampler = scope.at('downsamplers', 0)
  if (!isLast) states.push(inFrameSplits(scope, x, [], (part) => downsample2d(sampler, part, level.channels, padding)))
  return states
}

export function midBlock(
  scope: Scope,
  input: Value,
  level: Omit<Level, 'crossAttention' | 'resnets'>,
  context: Context,
): Value {
  const {
    mid_block_scale_factor: outputScaleFactor,
    mid_block_layers: count,
    use_motion_mid_block: motion,
  } = context.config
  let x = resnet(scope.at('resnets', 0), input, level.channels, context, outputScaleFactor)
  for (let i = 0; i < count; i++) {
    x = spatialTransformer(scope.at('attentions', i), x, level, i, context)
    if (motion) x = temporalTransformer(scope.at('motion_modules', i), x, level, i, context)
    x = resnet(scope.at('resnets', i + 1), x, level.channels, context, outputScaleFactor)
  }
  return x
}

/** One resolution going up; `skips` are the states of the way down, the last one first. */
function upBlock(
  scope: Scope,
  input: Value,
  skips: Value[],
  level: Level,
  context: Context,
  index: number,
  size: readonly [number, number] | undefined,
): Value {
  let x = input
  for (let i = 0; i < level.resnets; i++) {
    const [backbone, skip] = applyFreeU(scope, index, context.freeu, x, skips.at(-1 - i)!)
    const joined = scope.emit('Concat', [backbone, skip], { axis: 1 })
    x = resnet(scope.at('resnets', i), joined, level.channels, context)
    if (level.crossAttention) x = spatialTransformer(scope.at('attentions', i), x, level, i, context)
    x = temporalTransformer(scope.at('motion_modules', i), x, level, i, context)
  }
  const sampler = scope.at('upsamplers', 0)
  return size ? inFrameSplits(scope, x, [], (part) => upsample2d(sampler, part, level.channels, size)) : x
}

function resnet(scope: Scope, x: Value, out: number, { config, temb }: Context, outputScaleFactor = 1): Value {
  const options = { out, groups: groupsOf(config), epsilon: config.norm_eps, act: config.act_fn, outputScaleFactor }
  return inFrameSplits(scope, x, [temb], (part, [temb]) => resnetBlock(scope, part, { ...options, temb }))
}

/** What works on each frame by itself, on some frames at a time where the options say so. */
function inFrameSplits<const Along extends readonly (Value | undefined)[]>(
  scope: Scope,
  x: Value,
  along: Along,
  each: (x: Value, along: Along) => Value,
): Value {
  return inSplits(scope.options.splitInference?.temporalSplitSize, x, along, each)
}

function spatialTransformer(
  scope: Scope,
  x: Value,
  level: Pick<Level, 'heads' | 'contextDim' | 'transformerLayers'>,
  i: number,
  { config, encoderHiddenStates, mask, imagePrompts = [] }: Context,
): Value {
  const dim = encoderHiddenStates.shape[2]
  if (dim !== level.contextDim)
    throw new ProblemError(
      'bad-input',
      `encoder_hidden_states is ${dim} wide where the model takes ${level.contextDim} (cross_attention_dim): this text encoder does not fit this UNet`,
      { field: 'encoder_hidden_states' },
    )
  const options = {
    heads: level.heads,
    layers: level.transformerLayers[i]!,
    groups: groupsOf(config),
    useLinearProjection: config.use_linear_projection,
  }
  const pictures = imagePrompts.map(({ tokens }) => tokens)
  return inFrameSplits(scope, x, [encoderHiddenStates, mask, ...pictures], (part, [context, mask, ...pictures]) =>
    transformer2d(scope, part, {
      ...options,
      encoderHiddenStates: context,
      mask,
      imagePrompts: imagePrompts.map((prompt, k) => ({ ...prompt, tokens: pictures[k]! })),
    }),
  )
}

function temporalTransformer(
  scope: Scope,
  x: Value,
  level: Pick<Level, 'motionHeads' | 'motionLayers'>,
  i: number,
  { config, numFrames, doubleSelfAttention }: Context,
): Value {
  return motionModule(scope, x, {
    numFrames,
    heads: level.motionHeads[i]!,
    layers: level.motionLayers[i]!,
    groups: groupsOf(config),
    maxFrames: config.motion_max_seq_length,
    doubleSelfAttention,
  })
}

function groupsOf(config: UNetMotionConfig): number {
  if (config.norm_num_groups !== null) return config.norm_num_groups
  throw new ProblemError('bad-model', 'config.json: norm_num_groups is null; the residual blocks need a number', {
    field: 'norm_num_groups',
  })
}
