import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { dims } from '#app/tensor/tensor.ts'
import {
  activation,
  add,
  concat,
  conv2d,
  expand,
  interpolateNearest,
  layerNorm,
  linear,
  matmul,
  reduceMean,
  reshape,
  slice,
  split,
  transpose,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { attentionParts, fusedAttention, joinHeads } from './blocks/attention-kernels.ts'
import { floats, type Sizes } from './input-shapes.ts'
import { inputDims, required, type Inputs, type Model, type Outputs } from './model.ts'

const side = z.int('only one number is supported, as in transformers')

/** Python takes any value for a label; numbers are what is found. */
export const labelNames = z.record(z.string(), z.union([z.string(), z.number().transform(String)]))

/** config.json of a TimeSformer, with the reference's defaults (transformers TimesformerConfig, 5.23). */
const fields = z.object({
  image_size: side.default(224),
  patch_size: side.default(16),
  num_channels: z.int().default(3),
  num_frames: z.int().default(8),
  hidden_size: z.int().default(768),
  num_hidden_layers: z.int().default(12),
  num_attention_heads: z.int().default(12),
  intermediate_size: z.int().default(3072),
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: z.number().default(1e-6),
  qkv_bias: z.boolean().default(true),
  attention_type: z.enum(['divided_space_time', 'space_only', 'joint_space_time']).default('divided_space_time'),
  id2label: labelNames.nullish(),
  num_labels: z.int().nullish(),
  output_hidden_states: z.boolean().nullish(),
  output_attentions: z.boolean().nullish(),
  problem_type: z.enum(['regression', 'single_label_classification', 'multi_label_classification']).nullish(),
})

const timesformerConfig = fields
  .refine((config) => config.hidden_size % config.num_attention_heads === 0, {
    path: ['num_attention_heads'],
    message: 'must divide hidden_size',
  })
  .refine((config) => config.problem_type !== 'single_label_classification' || labelCount(config) !== 1, {
    path: ['problem_type'],
    message: '"single_label_classification" needs more than one label',
  })
export type TimesformerConfig = z.infer<typeof timesformerConfig>

/** As config.json has them without. */
const timesformerArgs = z.strictObject({
  output_hidden_states: z.boolean().optional(),
  output_attentions: z.boolean().optional(),
})
type TimesformerArgs = z.infer<typeof timesformerArgs>

type Labels = {
  readonly id2label?: Readonly<Record<string, string>> | null | undefined
  readonly num_labels?: number | null | undefined
}

/** transformers' default where a config names no labels: two. */
export const labelCount = ({ id2label, num_labels }: Labels): number =>
  id2label ? Object.keys(id2label).length : (num_labels ?? 2)

/**
 * TimeSformer: attention over space and time. Paper: arXiv 2102.05095.
 * Reference: transformers/models/timesformer/modeling_timesformer.py, 5.23.
 *
 * B clips, F frames, P patches a frame, C hidden size. Input: pixel_values (B, F, 3, H, W). Output: last_hidden_state;
 * with the arguments output_hidden_states and output_attentions also hidden_states.N and attentions.N. Tokens:
 * (B, 1 + P * F, C), the frames of a patch beside each other; space_only: (B * F, 1 + P, C).
 */
export const timesformerModel = {
  className: 'TimesformerModel',
  config: timesformerConfig,
  methods: { forward: { build: encode, args: timesformerArgs, inputsFor } },
  ignoredKeys: (key) => key.startsWith('classifier.'),
} satisfies Model<TimesformerConfig>

/** The same with a linear head on the class token: also logits (B, labels), or (B * F, labels) for space_only. */
export const timesformerForVideoClassification = {
  className: 'TimesformerForVideoClassification',
  config: timesformerConfig,
  methods: { forward: { build: classify, args: timesformerArgs, inputsFor } },
} satisfies Model<TimesformerConfig>

type States = `hidden_states.${number}` | `attentions.${number}`

/** As many frames and as large as the config says: others are refused. */
function inputsFor({ num_frames, num_channels, image_size }: TimesformerConfig, { batch }: Sizes) {
  return { pixel_values: floats(batch, num_frames, num_channels, image_size, image_size) }
}

function classify(
  scope: Scope,
  config: TimesformerConfig,
  inputs: Inputs<'pixel_values'>,
  args: TimesformerArgs,
): Outputs<'logits', States> {
  const { last_hidden_state: states, ...rest } = encode(scope, config, inputs, args)
  const [rows, , dim] = dims(states, 3)
  const classTokens = reshape(slice(states, 1, 0, 1), [rows, dim])
  const labels = labelCount(config)
  return { logits: labels === 0 ? classTokens : linear(scope.at('classifier'), classTokens, labels), ...rest }
}

function encode(
  root: Scope,
  config: TimesformerConfig,
  inputs: Inputs<'pixel_values'>,
  args: TimesformerArgs,
): Outputs<'last_hidden_state', States> {
  const scope = root.has('timesformer.embeddings.cls_token') ? root.at('timesformer') : root
  const pixels = required(inputs, 'pixel_values')
  checkPixels(pixels, config)
  const withAttentions = args.output_attentions ?? config.output_attentions
  const withStates = args.output_hidden_states ?? config.output_hidden_states
  const outputs: Record<string, Value> = {}

  let x = embeddings(scope.at('embeddings'), pixels, config)
  for (let i = 0; i < config.num_hidden_layers; i++) {
    if (withStates) outputs[`hidden_states.${i}`] = x
    const layer = encoderLayer(scope.at('encoder', 'layer', i), x, config, Boolean(withAttentions))
    x = layer.states
    if (layer.attentions) outputs[`attentions.${i}`] = layer.attentions
  }
  if (withStates) outputs[`hidden_states.${config.num_hidden_layers}`] = x
  return { last_hidden_state: layerNorm(scope.at('layernorm'), x, { epsilon: config.layer_norm_eps }), ...outputs }
}

function checkPixels(pixels: Value, config: TimesformerConfig): void {
  const refuse = (message: string): never => {
    throw new ProblemError('bad-input', message, { field: 'pixel_values' })
  }
  const [, frames, channels, height, width] = inputDims(pixels, 'pixel_values', [
    'batch',
    'num_frames',
    'channels',
    'height',
    'width',
  ])
  if (channels !== config.num_channels)
    refuse(`pixel_values has ${channels} channels where the model takes ${config.num_channels} (num_channels)`)
  if (height < config.patch_size || width < config.patch_size)
    refuse(`pixel_values is ${height} high and ${width} wide, less than a patch of ${config.patch_size} (patch_size)`)
  if (config.attention_type === 'divided_space_time' && frames !== config.num_frames)
    refuse(`pixel_values has ${frames} frames where the model takes ${config.num_frames} (num_frames)`)
}

/** (B, F, 3, H, W) -> (B, 1 + P * F, C), or (B * F, 1 + P, C) for space_only. */
function embeddings(scope: Scope, pixels: Value, config: TimesformerConfig): Value {
  const [batch, frames, channels, height, width] = dims(pixels, 5)
  const dim = config.hidden_size
  const images = reshape(pixels, [batch * frames, channels, height, width])
  const { patch_size: patch } = config
  const patches = conv2d(scope.at('patch_embeddings', 'projection'), images, dim, { kernel: patch, stride: patch })
  const [, , rows, columns] = dims(patches, 4)
  const count = rows * columns
  const tokens = transpose(reshape(patches, [batch * frames, dim, count]), [0, 2, 1]) // (B * F, P, C)

  const known = Math.floor(config.image_size / config.patch_size) ** 2
  const table = scope.weight('position_embeddings', [1, known + 1, dim])
  const placed = add(tokens, patchPositions(slice(table, 1, 1, known + 1), known, rows, columns))
  const classToken = add(scope.weight('cls_token', [1, 1, dim]), slice(table, 1, 0, 1))

  if (config.attention_type === 'space_only') return concat([expand(classToken, [batch * frames, 1, dim]), placed], 1)
  const byPatch = transpose(reshape(placed, [batch, frames, count, dim]), [0, 2, 1, 3]) // (B, P, F, C)
  const timed = add(byPatch, reshape(timePositions(scope, frames, config), [1, 1, frames, dim]))
  return concat([expand(classToken, [batch, 1, dim]), reshape(timed, [batch, count * frames, dim])], 1)
}

/**
 * The table of positions, brought to another grid by nearest neighbour as the reference does: (1, K, C) -> (1, P, C).
 */
function patchPositions(table: Value, known: number, rows: number, columns: number): Value {
  if (known === rows * columns) return table
  const side = Math.sqrt(known)
  const [, , dim] = dims(table, 3)
  const grid = reshape(transpose(table, [0, 2, 1]), [1, dim, side, side])
  return transpose(reshape(interpolateNearest(grid, rows, columns), [1, dim, rows * columns]), [0, 2, 1])
}

function timePositions(scope: Scope, frames: number, config: TimesformerConfig): Value {
  const table = scope.weight('time_embeddings', [1, config.num_frames, config.hidden_size])
  if (frames === config.num_frames) return table
  const grid = reshape(transpose(table, [0, 2, 1]), [1, config.hidden_size, 1, config.num_frames])
  return transpose(reshape(interpolateNearest(grid, 1, frames), [1, config.hidden_size, frames]), [0, 2, 1])
}

type Layer = { readonly states: Value; readonly attentions?: Value | undefined }

function encoderLayer(scope: Scope, input: Value, config: TimesformerConfig, withAttentions: boolean): Layer {
  const epsilon = config.layer_norm_eps
  const { states, attentions } =
    config.attention_type === 'divided_space_time'
      ? dividedAttention(scope, input, config, withAttentions)
      : wholeAttention(scope, input, config, withAttentions)
  const normalized = layerNorm(scope.at('layernorm_after'), states, { epsilon })
  const hidden = activation(
    config.hidden_act,
    'hidden_act',
  )(linear(scope.at('intermediate', 'dense'), normalized, config.intermediate_size))
  return { states: add(states, linear(scope.at('output', 'dense'), hidden, config.hidden_size)), attentions }
}

/** space_only and joint_space_time: every token of a row looks at every other. */
function wholeAttention(scope: Scope, input: Value, config: TimesformerConfig, withAttentions: boolean): Layer {
  const normalized = layerNorm(scope.at('layernorm_before'), input, { epsilon: config.layer_norm_eps })
  const { states, attentions } = selfAttention(scope.at('attention'), normalized, config, withAttentions)
  return { states: add(input, states), attentions }
}

/** First each patch over its frames, then each frame over its patches; the class token takes part in space only. */
function dividedAttention(scope: Scope, input: Value, config: TimesformerConfig, withAttentions: boolean): Layer {
  const epsilon = config.layer_norm_eps
  const [batch, tokens, dim] = dims(input, 3)
  const frames = config.num_frames
  const patches = (tokens - 1) / frames
  const [classToken, patchTokens] = split(input, [1, tokens - 1], 1) // (B, 1, C), (B, P * F, C)

  // time
  const sequences = reshape(patchTokens, [batch * patches, frames, dim])
  const overTime = selfAttention(
    scope.at('temporal_attention'),
    layerNorm(scope.at('temporal_layernorm'), sequences, { epsilon }),
    config,
    false,
  )
  const timed = add(patchTokens, reshape(linear(scope.at('temporal_dense'), overTime.states, dim), patchTokens.shape))

  // space
  const byFrame = reshape(transpose(reshape(timed, [batch, patches, frames, dim]), [0, 2, 1, 3]), [
    batch * frames,
    patches,
    dim,
  ])
  const classTokens = reshape(expand(classToken, [batch, frames, dim]), [batch * frames, 1, dim])
  const normalized = layerNorm(scope.at('layernorm_before'), concat([classTokens, byFrame], 1), { epsilon })
  const overSpace = selfAttention(scope.at('attention'), normalized, config, withAttentions)
  const [classResidual, patchResidual] = split(overSpace.states, [1, patches], 1)
  const byPatch = transpose(reshape(patchResidual, [batch, frames, patches, dim]), [0, 2, 1, 3])
  const classMean = reduceMean(reshape(classResidual, [batch, frames, dim]), [1]) // (B, 1, C)
  const states = concat([add(classToken, classMean), add(timed, reshape(byPatch, timed.shape))], 1)
  return { states, attentions: overSpace.attentions }
}

function selfAttention(scope: Scope, x: Value, config: TimesformerConfig, withAttentions: boolean): Layer {
  const dim = config.hidden_size
  const qkv = linear(scope.at('attention', 'qkv'), x, 3 * dim, { bias: config.qkv_bias })
  const [query, key, value] = split(qkv, [dim, dim, dim], -1)
  const project = (attended: Value): Value => linear(scope.at('output', 'dense'), attended, dim)
  if (!withAttentions) return { states: project(fusedAttention(query, key, value, config.num_attention_heads)) }
  const { probabilities, values } = attentionParts(query, key, value, config.num_attention_heads)
  return { states: project(joinHeads(matmul(probabilities, values))), attentions: probabilities }
}
