import { add, conv2d, groupNorm, linear, reshape, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'
import { basicTransformerBlock } from './basic-transformer-block.ts'
import type { ImagePrompt } from './ip-adapter.ts'

export type Transformer2DOptions = {
  readonly heads: number
  /** The channels' share of one head, without it. */
  readonly headDim?: number
  readonly layers: number
  readonly groups: number
  readonly useLinearProjection: boolean
  readonly encoderHiddenStates: Value
  readonly onlyCrossAttention?: boolean
  /** Added to the scores over the pixels, and over the context, see attention.ts. */
  readonly mask?: Value | undefined
  readonly encoderMask?: Value | undefined
  /** Pictures that are looked at beside the context. */
  readonly imagePrompts?: readonly ImagePrompt[] | undefined
}

/**
 * Spatial transformer over (N, C, H, W), every pixel a token.
 * Source: diffusers/src/diffusers/models/transformers/transformer_2d.py@58eb52c, continuous input.
 */
export function transformer2d(scope: Scope, hiddenStates: Value, options: Transformer2DOptions): Value {
  const { heads, layers, groups, useLinearProjection, ...block } = options
  const [batch, channels, height, width] = dims(hiddenStates, 4)
  const headDim = options.headDim ?? Math.floor(channels / heads)
  const inner = heads * headDim
  const toTokens = (x: Value): Value => transpose(reshape(x, [batch, x.shape[1]!, height * width]), [0, 2, 1])
  const toImage = (x: Value): Value => reshape(transpose(x, [0, 2, 1]), [batch, x.shape[2]!, height, width])

  const normalized = groupNorm(scope.at('norm'), hiddenStates, groups, 1e-6)
  let tokens = useLinearProjection
    ? linear(scope.at('proj_in'), toTokens(normalized), inner)
    : toTokens(conv2d(scope.at('proj_in'), normalized, inner, { kernel: 1 })) // (N, H * W, heads * d)
  for (let i = 0; i < layers; i++)
    tokens = basicTransformerBlock(scope.at('transformer_blocks', i), tokens, {
      ...block,
      heads,
      headDim,
      secondAttention: true,
      activation: 'geglu',
    })
  const output = useLinearProjection
    ? toImage(linear(scope.at('proj_out'), tokens, channels))
    : conv2d(scope.at('proj_out'), toImage(tokens), channels, { kernel: 1 })
  return add(output, hiddenStates)
}
