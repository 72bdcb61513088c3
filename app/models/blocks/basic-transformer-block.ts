import { add, layerNorm, reshape, type CompileOptions, type Scope, type Value } from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'
import { attention } from './attention.ts'
import { addSinusoidalPositions } from './embeddings.ts'
import { feedForward } from './feed-forward.ts'
import { inFrameWindows } from './frame-windows.ts'
import type { ImagePrompt } from './ip-adapter.ts'

export type TransformerBlockOptions = {
  readonly heads: number
  readonly headDim: number
  /** (B, L, D), with B dividing the hidden states' batch: one context for several consecutive rows. */
  readonly encoderHiddenStates?: Value | undefined
  /** A second attention layer: over the context, or over the hidden states again when there is none. */
  readonly secondAttention: boolean
  readonly activation: string
  readonly attentionBias?: boolean
  readonly normAffine?: boolean
  readonly normEpsilon?: number
  /** Length of the table of sinusoidal positions; none without it. */
  readonly maxPositions?: number | undefined
  /** The first attention layer looks at the context too. */
  readonly onlyCrossAttention?: boolean
  /** Added to the scores of the first and of the second attention layer, see attention.ts. */
  readonly mask?: Value | undefined
  readonly encoderMask?: Value | undefined
  /** The attention layers see the sequence in windows. */
  readonly windows?: CompileOptions['freeNoise']
  /** Pictures that the second attention layer looks at beside the context. */
  readonly imagePrompts?: readonly ImagePrompt[] | undefined
}

/**
 * x + attn1(norm1 x), + attn2(norm2 x, context), + ff(norm3 x), over (B, S, D).
 * Source: diffusers/src/diffusers/models/attention.py@58eb52c BasicTransformerBlock with norm_type "layer_norm".
 */
export function basicTransformerBlock(scope: Scope, hiddenStates: Value, options: TransformerBlockOptions): Value {
  const { heads, headDim, activation, maxPositions, attentionBias: bias = false } = options
  const norm = (name: string, x: Value): Value =>
    layerNorm(scope.at(name), x, { epsilon: options.normEpsilon ?? 1e-5, affine: options.normAffine ?? true })
  const positioned = (x: Value): Value =>
    maxPositions === undefined ? x : addSinusoidalPositions(scope.at('pos_embed'), x, maxPositions)

  const attend = (input: Value): Value => {
    const query = positioned(norm('norm1', input))
    const first =
      options.onlyCrossAttention && options.encoderHiddenStates
        ? contextAttention(scope.at('attn1'), query, { ...options, imagePrompts: undefined }, options.mask)
        : attention(scope.at('attn1'), query, { heads, headDim, bias, mask: options.mask })
    const x = add(first, input)
    if (!options.secondAttention) return x
    return add(contextAttention(scope.at('attn2'), positioned(norm('norm2', x)), options, options.encoderMask), x)
  }
  const x = options.windows ? inFrameWindows(hiddenStates, options.windows, attend) : attend(hiddenStates)
  return add(feedForward(scope.at('ff'), norm('norm3', x), { activation }), x)
}

/**
 * Attention over a context with fewer rows than the query. Each context row serves a run of query rows, so those are
 * put side by side in one longer sequence: the same result, and keys and values are computed once instead of once a
 * frame.
 */
export function contextAttention(
  scope: Scope,
  query: Value,
  options: Pick<
    TransformerBlockOptions,
    'heads' | 'headDim' | 'encoderHiddenStates' | 'attentionBias' | 'imagePrompts'
  >,
  mask?: Value,
): Value {
  const { heads, headDim, encoderHiddenStates, attentionBias: bias = false, imagePrompts } = options
  if (!encoderHiddenStates) return attention(scope, query, { heads, headDim, bias, mask })
  const [, , dim] = dims(query, 3)
  const joined = reshape(query, [encoderHiddenStates.shape[0]!, -1, dim])
  return reshape(
    attention(scope, joined, { heads, headDim, bias, encoderHiddenStates, mask, imagePrompts }),
    query.shape,
  )
}
