import { add, layerNorm, linear, mul, reshape, silu, split, concat, type Scope, type Value } from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'
import { attention } from './attention.ts'
import { contextAttention } from './basic-transformer-block.ts'
import { timestepEmbedding, timestepMlp } from './embeddings.ts'
import { feedForward } from './feed-forward.ts'

const frequencies = 256

/** Size conditions: resolution (B, 2), aspect_ratio (B, 1). */
export type SizeConditions = { readonly resolution: Value; readonly aspectRatio: Value }

/**
 * The time embedding (1 or B, D), and what all blocks take their shifts, scales and gates from, (1 or B, 6 * D).
 * Source: diffusers/src/diffusers/models/normalization.py@58eb52c AdaLayerNormSingle; arXiv 2310.00426, section 2.3.
 */
export function adaLayerNormSingle(
  scope: Scope,
  timestep: Value,
  dim: number,
  sizes?: SizeConditions,
): { embedded: Value; modulation: Value } {
  const emb = scope.at('emb')
  const time = timestepMlp(emb.at('timestep_embedder'), timestepEmbedding(timestep, frequencies), dim)
  const embedded = sizes ? add(time, sizeEmbedding(emb, dim, sizes)) : time
  return { embedded, modulation: linear(scope.at('linear'), silu(embedded), 6 * dim) }
}

/** (B, D): a third of it for each of height, width and their ratio. */
function sizeEmbedding(scope: Scope, dim: number, { resolution, aspectRatio }: SizeConditions): Value {
  const embed = (name: string, values: Value): Value => {
    const each = timestepEmbedding(reshape(values, [-1]), frequencies)
    return reshape(timestepMlp(scope.at(name), each, Math.floor(dim / 3)), [values.shape[0]!, -1])
  }
  return concat([embed('resolution_embedder', resolution), embed('aspect_ratio_embedder', aspectRatio)], 1)
}

/** x * (1 + scale) + shift */
export const modulated = (x: Value, shift: Value, scale: Value): Value => add(mul(x, add(scale, 1)), shift)

export type AdaNormBlockOptions = {
  readonly heads: number
  readonly headDim: number
  readonly attentionBias: boolean
  readonly activation: string
  readonly normAffine: boolean
  readonly normEpsilon: number
  readonly encoderHiddenStates?: Value | undefined
  readonly secondAttention: boolean
  readonly mask?: Value | undefined
  readonly encoderMask?: Value | undefined
}

/**
 * x + gate * attn1(modulated norm1 x), + attn2(x, context), + gate * ff(modulated norm2 x), over (B, S, D); modulation
 * (1 or B, 6 * D).
 * Source: diffusers/src/diffusers/models/attention.py@58eb52c BasicTransformerBlock with norm_type "ada_norm_single".
 */
export function adaNormSingleBlock(
  scope: Scope,
  hiddenStates: Value,
  modulation: Value,
  options: AdaNormBlockOptions,
): Value {
  const { heads, headDim, attentionBias, normEpsilon: epsilon, normAffine: affine } = options
  const [, , dim] = dims(hiddenStates, 3)
  const norm = (name: string, x: Value): Value => layerNorm(scope.at(name), x, { epsilon, affine })
  const table = add(
    reshape(scope.weight('scale_shift_table', [6, dim]), [1, 6, dim]),
    reshape(modulation, [-1, 6, dim]),
  )
  const [shift, scale, gate, ffShift, ffScale, ffGate] = split(table, [1, 1, 1, 1, 1, 1], 1) // (1 or B, 1, D) each

  const attended = attention(scope.at('attn1'), modulated(norm('norm1', hiddenStates), shift, scale), {
    heads,
    headDim,
    bias: attentionBias,
    mask: options.mask,
  })
  let x = add(mul(gate, attended), hiddenStates)
  if (options.secondAttention) x = add(contextAttention(scope.at('attn2'), x, options, options.encoderMask), x)
  const fed = feedForward(scope.at('ff'), modulated(norm('norm2', x), ffShift, ffScale), {
    activation: options.activation,
  })
  return add(mul(ffGate, fed), x)
}
