import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import {
  activation,
  add,
  cast,
  gather,
  layerNorm,
  linear,
  reshape,
  slice,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { fusedAttention } from './blocks/attention.ts'
import { causalMask } from './blocks/causal-mask.ts'
import { required, type Inputs, type Model, type Outputs } from './model.ts'

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
})
export type ClipTextConfig = z.infer<typeof clipTextConfig>

/**
 * CLIP's text encoder. Paper: arXiv 2103.00020. Reference: transformers/models/clip/modeling_clip.py, 5.23.
 *
 * N prompts, L tokens, D width. Input: input_ids int64 (N, L). Outputs: last_hidden_state (N, L, D), pooler_output (N, D).
 * Argument clip_skip: that many layers are left out at the end, as StableDiffusionPipeline does; then there is no pooler_output.
 */
export const clipTextModel: Model<ClipTextConfig> = {
  className: 'CLIPTextModel',
  config: clipTextConfig,
  forward,
  ignoredKeys: (key, { args }) => key.endsWith('embeddings.position_ids') || Boolean(args.clip_skip),
}

function forward(scope: Scope, config: ClipTextConfig, inputs: Inputs): Outputs {
  const ids = required(inputs, 'input_ids')
  const [prompts, length] = ids.shape as [number, number]
  if (length > config.max_position_embeddings)
    throw new ProblemError(
      'bad-input',
      `input_ids has ${length} tokens; the text encoder takes at most ${config.max_position_embeddings}`,
      { field: 'input_ids' },
    )
  const skip = Number(scope.options.args.clip_skip ?? 0)
  if (skip >= config.num_hidden_layers)
    throw new ProblemError(
      'bad-input',
      `clip skip ${skip} leaves out all of the text encoder's ${config.num_hidden_layers} layers`,
      { field: 'clipSkip' },
    )

  // Published files come with and without this prefix.
  const text = scope.has('text_model.embeddings.token_embedding.weight') ? scope.at('text_model') : scope
  const dim = config.hidden_size
  const tokens = gather(text.at('embeddings', 'token_embedding').weight('weight', [config.vocab_size, dim]), ids, 0) // (N, L, D)
  const positions = text.at('embeddings', 'position_embedding').weight('weight', [config.max_position_embeddings, dim])
  let x = add(tokens, slice(positions, 0, 0, length))
  for (let i = 0; i < config.num_hidden_layers - skip; i++) x = encoderLayer(text.at('encoder', 'layers', i), x, config)
  const lastHiddenState = layerNorm(text.at('final_layer_norm'), x, { epsilon: config.layer_norm_eps })
  if (skip) return { last_hidden_state: lastHiddenState }
  return { last_hidden_state: lastHiddenState, pooler_output: atEndOfText(lastHiddenState, ids, prompts, config) }
}

function encoderLayer(scope: Scope, input: Value, config: ClipTextConfig): Value {
  const norm = (name: string, x: Value): Value => layerNorm(scope.at(name), x, { epsilon: config.layer_norm_eps })
  const x = add(input, selfAttention(scope.at('self_attn'), norm('layer_norm1', input), config.num_attention_heads))
  const mlp = scope.at('mlp')
  const hidden = activation(
    config.hidden_act,
    'hidden_act',
  )(linear(mlp.at('fc1'), norm('layer_norm2', x), config.intermediate_size))
  return add(x, linear(mlp.at('fc2'), hidden, config.hidden_size))
}

function selfAttention(scope: Scope, x: Value, heads: number): Value {
  const [, length, dim] = x.shape as [number, number, number]
  const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) => linear(scope.at(name), x, dim)) as [
    Value,
    Value,
    Value,
  ]
  return linear(scope.at('out_proj'), fusedAttention(query, key, value, heads, causalMask(x, length)), dim)
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
  const [, length, dim] = states.shape as [number, number, number]
  const offsets = builder.integers(Array.from({ length: prompts }, (_, i) => i * length))
  return gather(reshape(states, [prompts * length, dim]), add(first, offsets), 0)
}
