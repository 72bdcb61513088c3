import {
  add,
  checkGroups,
  linear,
  mul,
  normalizeGroups,
  normWeights,
  reshape,
  transpose,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'
import { basicTransformerBlock, type TransformerBlockOptions } from './basic-transformer-block.ts'
import { inSplits } from './splits.ts'

export type TemporalTransformerOptions = TransformerBlockOptions & {
  readonly numFrames: number
  readonly layers: number
  readonly groups: number
}

/**
 * A transformer over time in (B * F, C, H, W): the frames of each pixel are the sequence, (B * H * W, F, C).
 * Source: diffusers/src/diffusers/models/transformers/transformer_temporal.py@58eb52c TransformerTemporalModel, and
 * unets/unet_motion_model.py AnimateDiffTransformer3D; arXiv 2307.04725.
 */
export function temporalTransformer(scope: Scope, hiddenStates: Value, options: TemporalTransformerOptions): Value {
  const { numFrames, layers, groups, heads, headDim, encoderHiddenStates } = options
  const [rows, channels, height, width] = dims(hiddenStates, 4)
  const batch = rows / numFrames
  const pixels = height * width

  const normalized = groupNormOverFrames(scope.at('norm'), hiddenStates, numFrames, groups)
  // (B, F * C, H * W) -> (B, H * W, F * C): one plain matrix transpose puts the frames of a pixel beside each other.
  const sequences = reshape(transpose(reshape(normalized, [batch, numFrames * channels, pixels]), [0, 2, 1]), [
    batch * pixels,
    numFrames,
    channels,
  ])
  const output = inSplits(
    scope.options.splitInference?.spatialSplitSize,
    sequences,
    [encoderHiddenStates],
    (part, [context]) => {
      let x = linear(scope.at('proj_in'), part, heads * headDim) // (B * H * W, F, heads * d)
      for (let i = 0; i < layers; i++)
        x = basicTransformerBlock(scope.at('transformer_blocks', i), x, { ...options, encoderHiddenStates: context })
      return linear(scope.at('proj_out'), x, channels)
    },
  )
  return add(
    reshape(transpose(reshape(output, [batch, pixels, numFrames * channels]), [0, 2, 1]), hiddenStates.shape),
    hiddenStates,
  )
}

/** Group normalisation of (B * F, C, H, W) with statistics over all frames of a video. */
function groupNormOverFrames(scope: Scope, x: Value, numFrames: number, groups: number): Value {
  const [rows, channels, height, width] = dims(x, 4)
  checkGroups(scope, channels, groups)
  const batch = rows / numFrames
  const blocks = [batch, numFrames, groups, (channels / groups) * height * width]
  const grouped = transpose(reshape(x, blocks), [0, 2, 1, 3]) // (B, G, F, c * H * W): moves whole blocks
  const normalized = reshape(normalizeGroups(scope, reshape(grouped, [batch, groups, -1]), 1e-6), grouped.shape)
  const back = reshape(transpose(normalized, [0, 2, 1, 3]), x.shape)
  const perChannel = [channels, 1, 1]
  const [scale, bias] = normWeights(scope, channels)
  return add(mul(back, reshape(scale, perChannel)), reshape(bias, perChannel))
}
