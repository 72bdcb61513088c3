import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import {
  add,
  cast,
  concat,
  constant,
  expand,
  layerNorm,
  linear,
  mul,
  reshape,
  slice,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims, showShape } from '#app/tensor/tensor.ts'
import { activationName } from './activation-name.ts'
import { discarded } from './blocks/attention-mask.ts'
import { basicTransformerBlock } from './blocks/basic-transformer-block.ts'
import { causalMask } from './blocks/causal-mask.ts'
import { timestepEmbedding, timestepMlp } from './blocks/embeddings.ts'
import { floats, oneTimestep, type Sizes } from './input-shapes.ts'
import { required, timestepOf, type Inputs, type Model, type Outputs } from './model.ts'

const layerOrNone = z.literal('layer', 'only "layer" is supported').nullish()

/** config.json of a PriorTransformer, with the reference's defaults. */
const priorTransformerConfig = z.object({
  num_attention_heads: z.int().default(32),
  attention_head_dim: z.int().default(64),
  num_layers: z.int().default(20),
  embedding_dim: z.int().default(768),
  num_embeddings: z.int().default(77),
  additional_embeddings: z.int().default(4),
  time_embed_act_fn: activationName.default('silu'),
  norm_in_type: layerOrNone,
  embedding_proj_norm_type: layerOrNone,
  encoder_hid_proj_type: z.literal('linear', 'only "linear" is supported').nullable().default('linear'),
  added_emb_type: z.literal('prd', 'only "prd" is supported').nullable().default('prd'),
  time_embed_dim: z.int().nullish(),
  embedding_proj_dim: z.int().nullish(),
  clip_embed_dim: z.int().nullish(),
})
export type PriorTransformerConfig = z.infer<typeof priorTransformerConfig>

/**
 * PriorTransformer: from text to an image embedding (Kandinsky 2), or from an image to the latents of a shape (Shap-E).
 * Papers: arXiv 2204.06125, 2305.02463. Reference:
 * diffusers/src/diffusers/models/transformers/prior_transformer.py@58eb52c.
 *
 * B rows, E embedding_dim, N embeddings that are predicted (1 for Kandinsky), T text tokens. Inputs: hidden_states
 * (B, E) or (B, N, E); timestep (1) or (B); proj_embedding (B, P); encoder_hidden_states (B, T, E) where the config has
 * a projection for it; optional: attention_mask (B, num_embeddings), true for the tokens that count. Output:
 * predicted_image_embedding (B, C), or (B, N, C) without added_emb_type.
 * post_process_latents: hidden_states (B, C) -> latents (B, C), out of the normalised space.
 */
export const priorTransformer = {
  className: 'PriorTransformer',
  config: priorTransformerConfig,
  methods: {
    forward: { build: forward, inputsFor },
    post_process_latents: {
      build: postProcessLatents,
      inputsFor: (config, { batch }) => ({ hidden_states: floats(batch, outputDim(config)) }),
    },
  },
} satisfies Model<PriorTransformerConfig>

type ForwardInputs = Inputs<'hidden_states' | 'timestep' | 'proj_embedding', 'encoder_hidden_states' | 'attention_mask'>

/**
 * As many tokens as the model has positions for: text where it reads some, what the prediction is made from, the time,
 * what is predicted, and a place for the answer. Without additional_embeddings the positions are those of what is
 * predicted alone.
 */
function inputsFor(config: PriorTransformerConfig, { batch }: Sizes) {
  const { num_embeddings: embeddings, additional_embeddings: additional, embedding_dim: dim } = config
  const free = embeddings + additional - 2 - (config.added_emb_type === null ? 0 : 1)
  const readsText = config.encoder_hid_proj_type !== null
  return {
    hidden_states: readsText ? floats(batch, dim) : floats(batch, additional === 0 ? embeddings : free, dim),
    timestep: oneTimestep,
    proj_embedding: floats(batch, config.embedding_proj_dim ?? dim),
    ...(readsText && { encoder_hidden_states: floats(batch, Math.max(1, free - 1), dim) }),
  }
}

const outputDim = (config: PriorTransformerConfig): number => config.clip_embed_dim ?? config.embedding_dim

function postProcessLatents(
  scope: Scope,
  config: PriorTransformerConfig,
  inputs: Inputs<'hidden_states'>,
): Outputs<'latents'> {
  const row = [1, outputDim(config)]
  const latents = mul(required(inputs, 'hidden_states'), scope.weight('clip_std', row))
  return { latents: add(latents, scope.weight('clip_mean', row)) }
}

function forward(
  scope: Scope,
  config: PriorTransformerConfig,
  inputs: ForwardInputs,
): Outputs<'predicted_image_embedding'> {
  const { num_attention_heads: heads, attention_head_dim: headDim } = config
  const inner = heads * headDim
  const batch = required(inputs, 'hidden_states').shape[0]!
  const hiddenStates = checked(inputs, 'hidden_states', batch, config.embedding_dim)

  // The tokens: text, what the prediction is made from, time, what is being predicted, and a place for the answer.
  const text = textTokens(scope, config, inputs, batch)
  const source = sourceTokens(scope, config, inputs, batch)
  const time = timestepMlp(
    scope.at('time_embedding'),
    timestepEmbedding(timestepOf(inputs, batch), inner),
    config.time_embed_dim ?? inner,
    { act: config.time_embed_act_fn, out: inner },
  )
  const answer =
    config.added_emb_type === 'prd' ? [expand(scope.weight('prd_embedding', [1, 1, inner]), [batch, 1, inner])] : []
  const tokens = concat(
    [
      ...text,
      source,
      expand(reshape(time, [-1, 1, inner]), [batch, 1, inner]),
      linear(scope.at('proj_in'), hiddenStates, inner),
      ...answer,
    ],
    1,
  )
  const before = [...text, source].reduce((sum, part) => sum + dims(part, 3)[1], 0) + 1
  let x = add(tokens, positions(scope, config, tokens, before))
  if (config.norm_in_type) x = layerNorm(scope.at('norm_in'), x)

  const mask = inputs.attention_mask && attentionMask(inputs.attention_mask, config, tokens)
  for (let i = 0; i < config.num_layers; i++)
    x = basicTransformerBlock(scope.at('transformer_blocks', i), x, {
      heads,
      headDim,
      secondAttention: false,
      activation: 'gelu',
      attentionBias: true,
      mask,
    })
  x = layerNorm(scope.at('norm_out'), x)

  const [, length] = dims(x, 3)
  const predicted =
    answer.length > 0 ? reshape(slice(x, 1, length - 1, length), [batch, inner]) : slice(x, 1, before, length)
  return { predicted_image_embedding: linear(scope.at('proj_to_clip_embeddings'), predicted, outputDim(config)) }
}

function textTokens(scope: Scope, config: PriorTransformerConfig, inputs: ForwardInputs, batch: number): Value[] {
  const inner = config.num_attention_heads * config.attention_head_dim
  if (config.encoder_hid_proj_type === null)
    return inputs.encoder_hidden_states ? [checked(inputs, 'encoder_hidden_states', batch, inner)] : []
  const why = 'config.json has encoder_hid_proj_type "linear"'
  const states = checked(inputs, 'encoder_hidden_states', batch, config.embedding_dim, why)
  return [linear(scope.at('encoder_hidden_states_proj'), states, inner)]
}

function sourceTokens(scope: Scope, config: PriorTransformerConfig, inputs: ForwardInputs, batch: number): Value {
  const embedding = checked(inputs, 'proj_embedding', batch, config.embedding_proj_dim ?? config.embedding_dim)
  const normalized = config.embedding_proj_norm_type ? layerNorm(scope.at('embedding_proj_norm'), embedding) : embedding
  return linear(scope.at('embedding_proj'), normalized, config.num_attention_heads * config.attention_head_dim)
}

/** An input (B, D) or (B, N, D) -> (B, N, D) */
function checked(inputs: ForwardInputs, name: keyof ForwardInputs, batch: number, dim: number, why?: string): Value {
  const x = required(inputs, name, why)
  const { shape } = x
  if ((shape.length === 2 || shape.length === 3) && shape[0] === batch && shape.at(-1) === dim)
    return reshape(x, [batch, shape.length === 3 ? shape[1]! : 1, dim])
  throw new ProblemError(
    'bad-input',
    `${name} has shape ${showShape(shape)}; it must be (${batch}, ${dim}) or (${batch}, tokens, ${dim})`,
    { field: name },
  )
}

/**
 * The table of positions for all tokens; a table for the predicted ones alone stands at their place, with zeros around
 * it.
 */
function positions(scope: Scope, config: PriorTransformerConfig, tokens: Value, before: number): Value {
  const [, length, inner] = dims(tokens, 3)
  const known = config.num_embeddings + config.additional_embeddings
  const table = scope.weight('positional_embedding', [1, known, inner])
  if (known === length) return table
  const after = config.added_emb_type === null ? 0 : 1
  if (known < length && before + known + after === length) {
    const zeros = (count: number): Value[] =>
      count === 0 ? [] : [constant(table, [1, count, inner], new Float32Array(count * inner))]
    return concat([...zeros(before), table, ...zeros(after)], 1)
  }
  throw new ProblemError(
    'bad-input',
    `the inputs make ${length} tokens, and the model has positions for ${known} (num_embeddings + additional_embeddings)`,
    { field: 'hidden_states' },
  )
}

/** No token looks at later ones, nor at text that is masked: (B, num_embeddings) -> (B, 1, S, S). */
function attentionMask(mask: Value, config: PriorTransformerConfig, tokens: Value): Value {
  const [batch, length] = dims(tokens, 3)
  const { num_embeddings: text, additional_embeddings: additional } = config
  if (mask.shape.length !== 2 || mask.shape[0] !== batch || mask.shape[1] !== text || text + additional !== length)
    throw new ProblemError(
      'bad-input',
      `attention_mask has shape ${showShape(mask.shape)}; it must be (batch, num_embeddings), here (${batch}, ${length - additional})`,
      { field: 'attention_mask' },
    )
  const ofText = discarded(cast(mask, 'float32'))
  const free = constant(ofText, [batch, additional], new Float32Array(batch * additional))
  const keys = additional === 0 ? ofText : concat([ofText, free], 1)
  return add(reshape(keys, [batch, 1, 1, length]), causalMask(keys, length, -10_000))
}
