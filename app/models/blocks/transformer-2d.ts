import { add, conv2d, groupNorm, linear, reshape, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { basicTransformerBlock } from './basic-transformer-block.ts'

export type Transformer2DOptions = {
  readonly heads: number
  readonly layers: number
  readonly groups: number
  readonly useLinearProjection: boolean
  readonly encoderHiddenStates: Value
}

/**
 * Spatial transformer over (N, C, H, W), every pixel a token.
 * Source: diffusers/src/diffusers/models/transformers/transformer_2d.py@58eb52c, continuous input.
 */
export function transformer2d(scope: Scope, hiddenStates: Value, options: Transformer2DOptions): Value {
  const { heads, layers, groups, useLinearProjection, encoderHiddenStates } = options
  const [batch, channels, height, width] = hiddenStates.shape as [number, number, number, number]
  const toTokens = (x: Value): Value => transpose(reshape(x, [batch, channels, height * width]), [0, 2, 1])
  const toImage = (x: Value): Value => reshape(transpose(x, [0, 2, 1]), [batch, channels, height, width])

  const normalized = groupNorm(scope.at('norm'), hiddenStates, groups, 1e-6)
  let tokens = useLinearProjection
    ? linear(scope.at('proj_in'), toTokens(normalized), channels)
    : toTokens(conv2d(scope.at('proj_in'), normalized, channels, { kernel: 1 })) // (N, H * W, C)
  for (let i = 0; i < layers; i++)
    tokens = basicTransformerBlock(scope.at('transformer_blocks', i), tokens, {
      heads,
      headDim: channels / heads,
      encoderHiddenStates,
      secondAttention: true,
      activation: 'geglu',
    })
  const output = useLinearProjection
    ? toImage(linear(scope.at('proj_out'), tokens, channels))
    : conv2d(scope.at('proj_out'), toImage(tokens), channels, { kernel: 1 })
  return add(output, hiddenStates)
}
