import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import {
  activation,
  add,
  cast,
  gather,
  linear,
  mul,
  reshape,
  rmsNorm,
  transpose,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { int64, showShape } from '#app/tensor/tensor.ts'
import { fusedAttention } from './blocks/attention-kernels.ts'
import { discarded } from './blocks/attention-mask.ts'
import { clipTokens, ids } from './input-shapes.ts'
import { inputDims, required, type Inputs, type Model, type Outputs } from './model.ts'

/** config.json of a T5EncoderModel, with the reference's defaults (transformers T5Config, 5.23). */
const t5EncoderConfig = z.object({
  vocab_size: z.int().default(32128),
  d_model: z.int().default(512),
  d_kv: z.int().default(64),
  d_ff: z.int().default(2048),
  num_layers: z.int().default(6),
  num_heads: z.int().default(8),
  relative_attention_num_buckets: z.int().default(32),
  relative_attention_max_distance: z.int().default(128),
  layer_norm_epsilon: z.number().default(1e-6),
  feed_forward_proj: z
    .string()
    .regex(/^(gated-)?[a-z_]+$/, 'must be an activation, or "gated-" and one')
    .default('relu'),
  is_decoder: z.literal(false, 'only the encoder is supported').default(false),
})
export type T5EncoderConfig = z.infer<typeof t5EncoderConfig>

const t5Args = z.strictObject({ output_hidden_states: z.boolean().default(false) })

/**
 * T5's encoder. Paper: arXiv 1910.10683. Reference: transformers/models/t5/modeling_t5.py, 5.23.
 *
 * N prompts, L tokens, D width. Inputs: input_ids int64 (N, L); optional: attention_mask (N, L), 1 for the tokens that
 * count. Output: last_hidden_state (N, L, D); with the argument output_hidden_states also hidden_states.N.
 */
export const t5EncoderModel = {
  className: 'T5EncoderModel',
  config: t5EncoderConfig,
  methods: {
    forward: {
      build: forward,
      args: t5Args,
      inputsFor: (_, { batch, tokens = clipTokens }) => ({ input_ids: ids(batch, tokens) }),
    },
  },
  // Files of the whole model, and of the encoder with the tied embedding written twice.
  ignoredKeys: (key) => /^(decoder\.|lm_head\.|shared\.|encoder\.embed_tokens\.)/.test(key),
} satisfies Model<T5EncoderConfig>

function forward(
  scope: Scope,
  config: T5EncoderConfig,
  inputs: Inputs<'input_ids', 'attention_mask'>,
  args: z.infer<typeof t5Args>,
): Outputs<'last_hidden_state', `hidden_states.${number}`> {
  const inputIds = required(inputs, 'input_ids')
  const [prompts, length] = inputDims(inputIds, 'input_ids', ['batch', 'tokens'])
  const table = scope.has('shared.weight') ? scope.at('shared') : scope.at('encoder', 'embed_tokens')
  let x = gather(table.weight('weight', [config.vocab_size, config.d_model]), inputIds, 0) // (N, L, D)

  const encoder = scope.at('encoder')
  const mask = inputs.attention_mask
  if (mask && (mask.shape.length !== 2 || mask.shape[0] !== prompts || mask.shape[1] !== length))
    throw new ProblemError(
      'bad-input',
      `attention_mask has shape ${showShape(mask.shape)} where input_ids has ${showShape(inputIds.shape)}`,
      { field: 'attention_mask' },
    )
  // All layers share the first one's bias by distance.
  const distance = distanceBias(encoder.at('block', 0, 'layer', 0, 'SelfAttention'), length, config)
  const bias = mask ? add(distance, reshape(discarded(cast(mask, 'float32'), lowest), [-1, 1, 1, length])) : distance
  const norm = (at: Scope, value: Value): Value => rmsNorm(at.at('layer_norm'), value, config.layer_norm_epsilon)
  const states = [x]
  for (let i = 0; i < config.num_layers; i++) {
    const [first, second] = [encoder.at('block', i, 'layer', 0), encoder.at('block', i, 'layer', 1)]
    x = add(x, selfAttention(first.at('SelfAttention'), norm(first, x), bias, config))
    x = add(x, dense(second.at('DenseReluDense'), norm(second, x), config))
    states.push(x)
  }
  const last = rmsNorm(encoder.at('final_layer_norm'), x, config.layer_norm_epsilon)
  const all = args.output_hidden_states
    ? Object.fromEntries([...states.slice(0, -1), last].map((state, i) => [`hidden_states.${i}`, state]))
    : {}
  return { last_hidden_state: last, ...all }
}

const lowest = -3.4028234663852886e38

/** Without the usual division by sqrt(d). */
function selfAttention(
  scope: Scope,
  x: Value,
  bias: Value,
  { num_heads: heads, d_kv, d_model }: T5EncoderConfig,
): Value {
  const project = (name: string): Value => linear(scope.at(name), x, heads * d_kv, { bias: false })
  const attended = fusedAttention(project('q'), project('k'), project('v'), heads, bias, 1)
  return linear(scope.at('o'), attended, d_model, { bias: false })
}

function dense(scope: Scope, x: Value, { feed_forward_proj: name, d_ff, d_model }: T5EncoderConfig): Value {
  const project = (layer: string): Value => linear(scope.at(layer), x, d_ff, { bias: false })
  const gated = name.startsWith('gated-')
  // "gated-gelu" has always meant the tanh formula.
  const act = activation(name === 'gated-gelu' ? 'gelu_new' : name.replace('gated-', ''), 'feed_forward_proj')
  const hidden = gated ? mul(act(project('wi_0')), project('wi_1')) : act(project('wi'))
  return linear(scope.at('wo'), hidden, d_model, { bias: false })
}

/** A learned bias for each head and bucket of distances: (1, heads, L, L). */
function distanceBias(scope: Scope, length: number, config: T5EncoderConfig): Value {
  const { relative_attention_num_buckets: buckets, num_heads: heads } = config
  const table = scope.at('relative_attention_bias').weight('weight', [buckets, heads])
  const indices = Array.from({ length: length * length }, (_, i) =>
    bucketOf((i % length) - Math.floor(i / length), buckets / 2, config.relative_attention_max_distance),
  )
  const values = gather(table, table.builder.constant(int64([length, length], indices)), 0) // (L, L, heads)
  return reshape(transpose(values, [2, 0, 1]), [1, heads, length, length])
}

/** Half of the buckets for each direction: small distances have one each, larger ones share them by their logarithm. */
function bucketOf(distance: number, buckets: number, maxDistance: number): number {
  const from = distance > 0 ? buckets : 0
  const size = Math.abs(distance)
  const exact = Math.floor(buckets / 2)
  if (size < exact) return from + size
  // In float32, step by step as the reference does: the result is cut down to an integer.
  const logarithm = Math.fround(Math.log(Math.fround(size / exact)))
  const share = Math.fround(Math.fround(logarithm / Math.fround(Math.log(maxDistance / exact))) * (buckets - exact))
  return from + Math.min(exact + Math.trunc(share), buckets - 1)
}
