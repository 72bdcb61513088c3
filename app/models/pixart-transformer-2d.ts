import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import {
  add,
  cast,
  geluTanh,
  layerNorm,
  linear,
  reshape,
  split,
  transpose,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { showShape } from '#app/tensor/tensor.ts'
import { adaLayerNormSingle, adaNormSingleBlock, modulated, type SizeConditions } from './blocks/ada-norm-single.ts'
import { attentionBias } from './blocks/attention-mask.ts'
import { patchEmbed } from './blocks/patch-embed.ts'
import { floats, oneTimestep, type Sizes } from './input-shapes.ts'
import { imageDims, required, timestepOf, type Inputs, type Model, type Outputs } from './model.ts'

/** Whether the model takes the size of the picture as a condition; without a word on it those of 1024 pixels do. */
export const takesSizes = (config: {
  use_additional_conditions?: boolean | null | undefined
  sample_size: number
}): boolean => config.use_additional_conditions ?? config.sample_size === 128

/** config.json of a PixArtTransformer2DModel, with the reference's defaults. */
const pixartConfig = z
  .object({
    num_attention_heads: z.int().default(16),
    attention_head_dim: z.int().default(72),
    in_channels: z.int().default(4),
    out_channels: z.int().nullable().default(8),
    num_layers: z.int().default(28),
    cross_attention_dim: z.int().nullable().default(1152),
    attention_bias: z.boolean().default(true),
    sample_size: z.int().default(128),
    patch_size: z.int().min(1).default(2),
    activation_fn: z.string().default('gelu-approximate'),
    num_embeds_ada_norm: z.int().default(1000),
    norm_type: z.literal('ada_norm_single', 'only "ada_norm_single" is supported').default('ada_norm_single'),
    norm_elementwise_affine: z.boolean().default(false),
    norm_eps: z.number().default(1e-6),
    interpolation_scale: z.number().nullish(),
    use_additional_conditions: z.boolean().nullish(),
    caption_channels: z.int().nullish(),
    attention_type: z.literal('default', 'only "default" is supported').nullish(),
  })
  .refine((config) => (config.num_attention_heads * config.attention_head_dim) % 4 === 0, {
    path: ['attention_head_dim'],
    message: 'num_attention_heads * attention_head_dim must be a multiple of 4, for the positions',
  })
  .refine((config) => !takesSizes(config) || (config.num_attention_heads * config.attention_head_dim) % 3 === 0, {
    path: ['use_additional_conditions'],
    message: 'num_attention_heads * attention_head_dim must be a multiple of 3, for the sizes',
  })
export type PixArtConfig = z.infer<typeof pixartConfig>

/**
 * PixArt's diffusion transformer, alpha and sigma. Papers: arXiv 2310.00426, 2403.04692.
 * Reference: diffusers/src/diffusers/models/transformers/pixart_transformer_2d.py@58eb52c.
 *
 * B images, L text tokens, D inner width. Inputs: hidden_states (B, C, H, W), what is no whole patch is left out;
 * timestep (1) or (B); encoder_hidden_states (B, L, E); with use_additional_conditions added_cond_kwargs.resolution
 * (B, 2) and .aspect_ratio (B, 1); optional: attention_mask over the patches and encoder_attention_mask over the text,
 * as 2-D masks or 3-D biases. Output: sample (B, out_channels, H, W).
 */
export const pixartTransformer2d = {
  className: 'PixArtTransformer2DModel',
  config: pixartConfig,
  methods: {
    forward: {
      build: forward,
      inputsFor,
      ignoredInputs: [
        'added_cond_kwargs.resolution',
        'added_cond_kwargs.aspect_ratio',
        'encoder_hidden_states',
        'encoder_attention_mask',
      ],
    },
  },
  // Older files carry the positions, which are computed from the size, and the empty prompt of the training.
  ignoredKeys: (key) => key === 'pos_embed.pos_embed' || key === 'caption_projection.y_embedding',
  resetsAnyProcessor: true,
} satisfies Model<PixArtConfig>

type ForwardInputs = Inputs<
  'hidden_states' | 'timestep',
  | 'encoder_hidden_states'
  | 'added_cond_kwargs.resolution'
  | 'added_cond_kwargs.aspect_ratio'
  | 'attention_mask'
  | 'encoder_attention_mask'
>

/** What T5 gives in PixArt-alpha's pipeline. */
const t5Tokens = 120

function inputsFor(config: PixArtConfig, { batch, height, width, tokens = t5Tokens }: Sizes) {
  const whole = (side: number): number => Math.ceil(side / config.patch_size) * config.patch_size
  return {
    hidden_states: floats(batch, config.in_channels, whole(height), whole(width)),
    timestep: oneTimestep,
    encoder_hidden_states: floats(
      batch,
      tokens,
      config.caption_channels ?? config.cross_attention_dim ?? config.num_attention_heads * config.attention_head_dim,
    ),
    ...(takesSizes(config) && {
      'added_cond_kwargs.resolution': floats(batch, 2),
      'added_cond_kwargs.aspect_ratio': floats(batch, 1),
    }),
  }
}

function forward(scope: Scope, config: PixArtConfig, inputs: ForwardInputs): Outputs<'sample'> {
  const image = required(inputs, 'hidden_states')
  const [batch, , height, width] = imageDims(image, 'hidden_states', config.in_channels, 'in_channels')
  const { num_attention_heads: heads, attention_head_dim: headDim, patch_size: patchSize } = config
  const [rows, columns] = [Math.floor(height / patchSize), Math.floor(width / patchSize)]
  if (rows === 0 || columns === 0)
    throw new ProblemError(
      'bad-input',
      `hidden_states is ${height} high and ${width} wide, less than a patch of ${patchSize} (patch_size)`,
      { field: 'hidden_states' },
    )
  const dim = heads * headDim
  const sizes = sizeConditions(config, inputs, batch)

  let x = patchEmbed(scope.at('pos_embed'), image, {
    dim,
    patchSize,
    baseSize: Math.floor(config.sample_size / patchSize),
    interpolationScale: config.interpolation_scale ?? Math.max(Math.floor(config.sample_size / 64), 1),
  })
  const { embedded, modulation } = adaLayerNormSingle(scope.at('adaln_single'), timestepOf(inputs, batch), dim, sizes)

  const secondAttention = config.cross_attention_dim !== null
  const encoderHiddenStates = contextOf(scope, config, inputs, batch)
  const { attention_mask: mask, encoder_attention_mask: encoderMask } = inputs
  for (let i = 0; i < config.num_layers; i++)
    x = adaNormSingleBlock(scope.at('transformer_blocks', i), x, modulation, {
      heads,
      headDim,
      attentionBias: config.attention_bias,
      activation: config.activation_fn,
      normAffine: config.norm_elementwise_affine,
      normEpsilon: config.norm_eps,
      encoderHiddenStates,
      secondAttention,
      mask: mask && attentionBias(mask, 'attention_mask'),
      encoderMask: secondAttention && encoderMask ? attentionBias(encoderMask, 'encoder_attention_mask') : undefined,
    })

  const table = reshape(scope.weight('scale_shift_table', [2, dim]), [1, 2, dim])
  const [shift, scale] = split(add(table, reshape(embedded, [-1, 1, dim])), [1, 1], 1)
  x = modulated(layerNorm(scope, x, { epsilon: 1e-6, affine: false }), shift, scale)

  // Patches back to pixels: (B, h, w, p, p, C) -> (B, C, h, p, w, p)
  const channels = config.out_channels ?? config.in_channels
  const patches = linear(scope.at('proj_out'), x, patchSize * patchSize * channels)
  const pixels = transpose(reshape(patches, [batch, rows, columns, patchSize, patchSize, channels]), [0, 5, 1, 3, 2, 4])
  return { sample: reshape(pixels, [batch, channels, rows * patchSize, columns * patchSize]) }
}

function sizeConditions(config: PixArtConfig, inputs: ForwardInputs, batch: number): SizeConditions | undefined {
  if (!takesSizes(config)) return undefined
  const why = 'the model takes the size as a condition (use_additional_conditions)'
  const take = (name: 'resolution' | 'aspect_ratio', width: number): Value => {
    const field = `added_cond_kwargs.${name}` as const
    const value = required(inputs, field, why)
    if (value.shape[0] === batch && value.shape.length === 2 && value.shape[1] === width) return cast(value, 'float32')
    throw new ProblemError(
      'bad-input',
      `${field} has shape ${showShape(value.shape)}; it must be (${batch}, ${width})`,
      { field },
    )
  }
  return { resolution: take('resolution', 2), aspectRatio: take('aspect_ratio', 1) }
}

/** The text, brought to the model's width where it has a projection for it. */
function contextOf(scope: Scope, config: PixArtConfig, inputs: ForwardInputs, batch: number): Value | undefined {
  const dim = config.num_attention_heads * config.attention_head_dim
  const attends = config.cross_attention_dim !== null
  const needed = config.caption_channels != null || (attends && config.cross_attention_dim !== dim)
  const states = needed ? required(inputs, 'encoder_hidden_states') : inputs.encoder_hidden_states
  if (!states) return undefined
  const width = config.caption_channels ?? config.cross_attention_dim ?? states.shape.at(-1)!
  if (states.shape.length !== 3 || states.shape[0] !== batch || states.shape[2] !== width)
    throw new ProblemError(
      'bad-input',
      `encoder_hidden_states has shape ${showShape(states.shape)}; it must be (${batch}, tokens, ${width})`,
      { field: 'encoder_hidden_states' },
    )
  if (config.caption_channels == null) return states
  const projection = scope.at('caption_projection')
  return linear(projection.at('linear_2'), geluTanh(linear(projection.at('linear_1'), states, dim)), dim)
}
