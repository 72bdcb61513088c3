import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import type { Scope, Value } from '#app/graph/index.ts'
import { dims, showShape } from '#app/tensor/tensor.ts'
import { temporalTransformer } from './blocks/temporal-transformer.ts'
import { clipTokens, floats, type Sizes } from './input-shapes.ts'
import { imageDims, required, type Inputs, type Model, type Outputs } from './model.ts'

/** config.json of a TransformerTemporalModel, with the reference's defaults. */
const transformerTemporalConfig = z
  .object({
    num_attention_heads: z.int().default(16),
    attention_head_dim: z.int().default(88),
    in_channels: z.int(),
    num_layers: z.int().default(1),
    norm_num_groups: z.int().default(32),
    cross_attention_dim: z.int().nullish(),
    attention_bias: z.boolean().default(false),
    activation_fn: z.string().default('geglu'),
    norm_elementwise_affine: z.boolean().default(true),
    double_self_attention: z.boolean().default(true),
    positional_embeddings: z.literal('sinusoidal', 'only "sinusoidal" is supported').nullish(),
    num_positional_embeddings: z.int().nullish(),
  })
  .refine((config) => !config.positional_embeddings || config.num_positional_embeddings != null, {
    path: ['num_positional_embeddings'],
    message: 'positional_embeddings needs it',
  })
export type TransformerTemporalConfig = z.infer<typeof transformerTemporalConfig>

const temporalArgs = z.strictObject({ num_frames: z.number().default(1) })

/**
 * A transformer over the frames of each pixel. Paper: arXiv 2308.06571 (ModelScope text to video).
 * Reference: diffusers/src/diffusers/models/transformers/transformer_temporal.py@58eb52c.
 *
 * B videos, F frames, argument num_frames (1 without it). Inputs: hidden_states (B * F, C, H, W); optional:
 * encoder_hidden_states (B * H * W, L, D). Output: sample (B * F, C, H, W).
 */
export const transformerTemporalModel = {
  className: 'TransformerTemporalModel',
  config: transformerTemporalConfig,
  methods: {
    forward: {
      build: forward,
      args: temporalArgs,
      inputsFor,
      argsFor: ({ numFrames }) => ({ num_frames: numFrames }),
      ignoredInputs: ['encoder_hidden_states', 'timestep', 'class_labels'],
    },
  },
} satisfies Model<TransformerTemporalConfig>

type ForwardInputs = Inputs<'hidden_states', 'encoder_hidden_states' | 'timestep' | 'class_labels'>

/** A context where the model looks at one of another width than its own. */
function inputsFor(config: TransformerTemporalConfig, { batch, numFrames, height, width, tokens = clipTokens }: Sizes) {
  const { inner, context } = widthsOf(config)
  return {
    hidden_states: floats(batch * numFrames, config.in_channels, height, width),
    ...(context !== inner && { encoder_hidden_states: floats(batch * height * width, tokens, context) }),
  }
}

/** Of the model's own states, and of what its second attention layers look at. */
function widthsOf(config: TransformerTemporalConfig): { inner: number; context: number } {
  const inner = config.num_attention_heads * config.attention_head_dim
  return { inner, context: config.double_self_attention ? inner : (config.cross_attention_dim ?? inner) }
}

function forward(
  scope: Scope,
  config: TransformerTemporalConfig,
  inputs: ForwardInputs,
  { num_frames: numFrames }: z.infer<typeof temporalArgs>,
): Outputs<'sample'> {
  const hiddenStates = required(inputs, 'hidden_states')
  const [rows] = imageDims(hiddenStates, 'hidden_states', config.in_channels, 'in_channels')
  const refuse = (message: string): never => {
    throw new ProblemError('bad-input', message, { field: 'num_frames' })
  }
  if (!Number.isInteger(numFrames) || numFrames < 1 || rows % numFrames !== 0)
    refuse(`hidden_states has ${rows} rows, which num_frames ${numFrames} does not divide`)
  const maxPositions = config.positional_embeddings ? config.num_positional_embeddings! : undefined
  if (maxPositions !== undefined && numFrames > maxPositions)
    refuse(`num_frames is ${numFrames}; the model has positions for ${maxPositions} (num_positional_embeddings)`)

  const secondAttention = config.double_self_attention || config.cross_attention_dim != null
  const sample = temporalTransformer(scope, hiddenStates, {
    numFrames,
    heads: config.num_attention_heads,
    headDim: config.attention_head_dim,
    layers: config.num_layers,
    groups: config.norm_num_groups,
    encoderHiddenStates: secondAttention ? checkedContext(inputs, config, hiddenStates, numFrames) : undefined,
    secondAttention,
    activation: config.activation_fn,
    attentionBias: config.attention_bias,
    normAffine: config.norm_elementwise_affine,
    maxPositions,
  })
  return { sample }
}

/** Without a context the second layer looks at the frames again, which fits where it is as wide as they are. */
function checkedContext(
  inputs: ForwardInputs,
  config: TransformerTemporalConfig,
  hiddenStates: Value,
  numFrames: number,
): Value | undefined {
  const { inner, context: dim } = widthsOf(config)
  const context = inputs.encoder_hidden_states
  if (!context) {
    if (dim !== inner) required(inputs, 'encoder_hidden_states', `the model looks at a context ${dim} wide`)
    return undefined
  }
  const [rows, , height, width] = dims(hiddenStates, 4)
  const sequences = (rows / numFrames) * height * width
  if (context.shape.length === 3 && context.shape[0] === sequences && context.shape[2] === dim) return context
  throw new ProblemError(
    'bad-input',
    `encoder_hidden_states has shape ${showShape(context.shape)}; it must be (batch * height * width, tokens, width), here (${sequences}, tokens, ${dim})`,
    { field: 'encoder_hidden_states' },
  )
}
