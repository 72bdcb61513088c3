import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import {
  add,
  cast,
  gather,
  layerNorm,
  linear,
  mul,
  reshape,
  slice,
  sub,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims, int64 } from '#app/tensor/tensor.ts'
import { discarded } from './blocks/attention-mask.ts'
import { causalMask } from './blocks/causal-mask.ts'
import { clipEncoderLayer } from './blocks/clip-encoder.ts'
import { clipTokens, ids, type Sizes } from './input-shapes.ts'
import { inputDims, required, type Inputs, type Model, type Outputs } from './model.ts'

/** config.json of a CLIPTextModel, with the reference's defaults (transformers CLIPTextConfig, 5.23). */
const clipTextConfig = z.object({
  vocab_size: z.int().default(49408),
  hidden_size: z.int().default(512),
  intermediate_size: z.int().default(2048),
  num_hidden_layers: z.int().default(12),
  num_attention_heads: z.int().default(8),
  max_position_embeddings: z.int().default(77),
  hidden_act: z.string().default('quick_gelu'),
  layer_norm_eps: z.number().default(1e-5),
  eos_token_id: z.int().default(49407),
  projection_dim: z.int().nullish(),
})
export type ClipTextConfig = z.infer<typeof clipTextConfig>

const clipTextArgs = z.strictObject({
  clip_skip: z.int().min(0).default(0),
  output_hidden_states: z.boolean().default(false),
})
type ClipTextArgs = z.infer<typeof clipTextArgs>

/** Two of these still add up to a float. */
const lowestHalf = -1e38

/**
 * CLIP's text encoder. Paper: arXiv 2103.00020. Reference: transformers/models/clip/modeling_clip.py, 5.23.
 *
 * N prompts, L tokens, D width. Input: input_ids int64 (N, L); optional: attention_mask (N, L), 1 for the tokens that
 * count; added_embeddings (A, D), which the ids from vocab_size on stand for (diffusers' load_textual_inversion, which
 * makes the table larger). Outputs: last_hidden_state (N, L, D), pooler_output (N, D); with the argument
 * output_hidden_states also hidden_states.N, those of the layers before the final norm.
 * Argument clip_skip: that many layers are left out at the end, as StableDiffusionPipeline does; then there is no
 * pooler_output.
 */
export const clipTextModel = {
  className: 'CLIPTextModel',
  config: clipTextConfig,
  methods: { forward: { build: encode, args: clipTextArgs, inputsFor } },
  ignoredKeys,
} satisfies Model<ClipTextConfig>

/** The same with a projection of the pooled output: text_embeds (N, P) in its place. Takes no clip_skip. */
export const clipTextModelWithProjection = {
  className: 'CLIPTextModelWithProjection',
  config: clipTextConfig,
  methods: {
    forward: {
      build(
        scope,
        config: ClipTextConfig,
        inputs: TextInputs,
        args: ClipTextArgs,
      ): Outputs<'text_embeds' | 'last_hidden_state', HiddenStates> {
        const { pooler_output: pooled, ...rest } = encode(scope, config, inputs, args)
        if (!pooled)
          throw new ProblemError('bad-input', 'clip_skip leaves no pooled output to project', { field: 'clipSkip' })
        return {
          text_embeds: linear(scope.at('text_projection'), pooled, config.projection_dim ?? 512, { bias: false }),
          ...rest,
        }
      },
      args: clipTextArgs,
      inputsFor,
    },
  },
  ignoredKeys,
} satisfies Model<ClipTextConfig>

type TextInputs = Inputs<'input_ids', 'attention_mask' | 'added_embeddings'>
type HiddenStates = `hidden_states.${number}`

function inputsFor(config: ClipTextConfig, { batch, tokens = clipTokens }: Sizes) {
  return { input_ids: ids(batch, Math.min(tokens, config.max_position_embeddings)) }
}

function ignoredKeys(key: string): boolean {
  return key.endsWith('embeddings.position_ids')
}

function encode(
  scope: Scope,
  config: ClipTextConfig,
  inputs: TextInputs,
  args: ClipTextArgs,
): Outputs<'last_hidden_state', 'pooler_output' | HiddenStates> {
  const inputIds = required(inputs, 'input_ids')
  const [prompts, length] = inputDims(inputIds, 'input_ids', ['batch', 'tokens'])
  if (length > config.max_position_embeddings)
    throw new ProblemError(
      'bad-input',
      `input_ids has ${length} tokens; the text encoder takes at most ${config.max_position_embeddings}`,
      { field: 'input_ids' },
    )
  const skip = args.clip_skip
  if (skip >= config.num_hidden_layers)
    throw new ProblemError(
      'bad-input',
      `clip skip ${skip} leaves out all of the text encoder's ${config.num_hidden_layers} layers`,
      { field: 'clipSkip' },
    )

  // Published files come with and without this prefix.
  const text = scope.has('text_model.embeddings.token_embedding.weight') ? scope.at('text_model') : scope
  const dim = config.hidden_size
  const table = text.at('embeddings', 'token_embedding').weight('weight', [config.vocab_size, dim])
  const added = inputs.added_embeddings
  const tokens = added ? withAdded(table, added, inputIds) : gather(table, inputIds, 0) // (N, L, D)
  const positions = text.at('embeddings', 'position_embedding').weight('weight', [config.max_position_embeddings, dim])
  let x = add(tokens, slice(positions, 0, 0, length))
  const mask = attentionMask(x, inputs.attention_mask)
  const states = [x]
  for (let i = 0; i < config.num_hidden_layers - skip; i++) {
    x = clipEncoderLayer(text.at('encoder', 'layers', i), x, config, mask)
    states.push(x)
  }
  const lastHiddenState = layerNorm(text.at('final_layer_norm'), x, { epsilon: config.layer_norm_eps })
  const pooled = skip ? {} : { pooler_output: atEndOfText(lastHiddenState, inputIds, prompts, config) }
  const all = args.output_hidden_states
    ? Object.fromEntries(states.map((state, i) => [`hidden_states.${i}`, state]))
    : {}
  return { last_hidden_state: lastHiddenState, ...pooled, ...all }
}

/** Rows of the table, and of those that were added behind it: joined, the table would be copied. */
function withAdded(table: Value, added: Value, ids: Value): Value {
  const { builder } = ids
  const [size, count] = [table.shape[0]!, dims(added, 2)[0]]
  const within = (x: Value, most: number): Value =>
    builder.emit('Clip', [x, builder.constant(int64([], [0])), builder.constant(int64([], [most]))])
  const own = within(ids, size - 1)
  const isOwn = reshape(cast(builder.emit('Equal', [own, ids]), 'float32'), [...ids.shape, 1])
  const beyond = within(sub(ids, builder.integers([size])), count - 1)
  return add(mul(gather(table, own, 0), isOwn), mul(gather(added, beyond, 0), sub(builder.scalar(1), isOwn)))
}

/** No token looks at later ones, nor at those that are left out: (1 or N, 1, L, L). */
function attentionMask(states: Value, keep: Value | undefined): Value {
  const [, length] = dims(states, 3)
  const causal = causalMask(states, length)
  if (!keep) return causal
  return add(
    reshape(discarded(cast(keep, 'float32'), lowestHalf), [-1, 1, 1, length]),
    causalMask(states, length, lowestHalf),
  )
}

/** The state of each prompt's first end-of-text token: (N, L, D) -> (N, D). */
function atEndOfText(states: Value, ids: Value, prompts: number, config: ClipTextConfig): Value {
  const { builder } = states
  // A config with eos_token_id 2 is an old slip in published files: there the end of text is the highest id.
  const marks =
    config.eos_token_id === 2
      ? ids
      : cast(builder.emit('Equal', [ids, builder.integers([config.eos_token_id])]), 'int32')
  const first = builder.emit('ArgMax', [marks], { axis: 1, keepdims: 0 }) // (N,)
  const [, length, dim] = dims(states, 3)
  const offsets = builder.integers(Array.from({ length: prompts }, (_, i) => i * length))
  return gather(reshape(states, [prompts * length, dim]), add(first, offsets), 0)
}
