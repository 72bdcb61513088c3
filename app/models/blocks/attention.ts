import { linear, matmul, mul, reshape, softmax, transpose, add, type Scope, type Value } from '#app/graph/index.ts'

export type AttentionOptions = {
  readonly heads: number
  readonly headDim: number
  /** (B, L, D) for cross-attention; the hidden states themselves without it. */
  readonly encoderHiddenStates?: Value | undefined
  /** Biases on to_q, to_k and to_v. */
  readonly bias?: boolean
  readonly outBias?: boolean
  /** Added to the scores: (1 or B, 1 or heads, S, L). */
  readonly mask?: Value | undefined
}

/**
 * Multi-head attention over (B, S, D) with the layer names of diffusers' Attention: to_q, to_k, to_v, to_out.0.
 * Source: diffusers/src/diffusers/models/attention_processor.py@58eb52c, arXiv 1706.03762.
 */
export function attention(scope: Scope, hiddenStates: Value, options: AttentionOptions): Value {
  const { heads, headDim, encoderHiddenStates = hiddenStates, bias = false, outBias = true, mask } = options
  const inner = heads * headDim
  const query = linear(scope.at('to_q'), hiddenStates, inner, { bias }) // (B, S, heads * d)
  const key = linear(scope.at('to_k'), encoderHiddenStates, inner, { bias }) // (B, L, heads * d)
  const value = linear(scope.at('to_v'), encoderHiddenStates, inner, { bias })
  const attended = processor(scope)(query, key, value, heads, mask)
  return linear(scope.at('to_out', 0), attended, hiddenStates.shape.at(-1)!, { bias: outBias })
}

type Kernel = (query: Value, key: Value, value: Value, heads: number, mask?: Value) => Value

function processor(scope: Scope): Kernel {
  const { default: otherwise, layers } = scope.options.processors
  const { processor } = layers[`${scope.path}.processor`] ?? otherwise
  switch (processor) {
    case 'AttnProcessor':
      return explicitAttention
    case 'AttnProcessor2_0':
      return fusedAttention
  }
}

/** softmax(Q K^T / sqrt(d) + mask) V by the provider's own operator, which never holds all scores at once. Shapes as `explicitAttention`. */
export function fusedAttention(query: Value, key: Value, value: Value, heads: number, mask?: Value): Value {
  const inputs = mask ? [query, key, value, null, null, mask] : [query, key, value]
  return query.builder.emit('MultiHeadAttention', inputs, { num_heads: heads })
}

/** softmax(Q K^T / sqrt(d) + mask) V in plain operators: (B, S, heads * d), (B, L, heads * d) twice -> (B, S, heads * d). */
export function explicitAttention(query: Value, key: Value, value: Value, heads: number, mask?: Value): Value {
  const { probabilities, values } = attentionParts(query, key, value, heads, mask)
  return joinHeads(matmul(probabilities, values))
}

/** Probabilities (B, heads, S, L) and values (B, heads, L, d), for models that return their attentions. */
export function attentionParts(
  query: Value,
  key: Value,
  value: Value,
  heads: number,
  mask?: Value,
): { probabilities: Value; values: Value } {
  const headDim = query.shape[2]! / heads
  const split = (x: Value, perm: readonly number[]): Value =>
    transpose(reshape(x, [x.shape[0]!, x.shape[1]!, heads, headDim]), perm)
  const scores = matmul(mul(split(query, [0, 2, 1, 3]), headDim ** -0.5), split(key, [0, 2, 3, 1]))
  return { probabilities: softmax(mask ? add(scores, mask) : scores), values: split(value, [0, 2, 1, 3]) }
}

/** (B, heads, S, d) -> (B, S, heads * d) */
export function joinHeads(x: Value): Value {
  const [batch, heads, length, headDim] = x.shape as [number, number, number, number]
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, heads * headDim])
}
