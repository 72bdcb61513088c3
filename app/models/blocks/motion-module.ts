import { add, linear, mul, normalizeGroups, reshape, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { basicTransformerBlock } from './basic-transformer-block.ts'

export type MotionModuleOptions = {
  readonly numFrames: number
  readonly heads: number
  readonly layers: number
  readonly groups: number
  readonly maxFrames: number
}

/**
 * AnimateDiff's temporal transformer over (B * F, C, H, W): the frames of each pixel are the sequence.
 * Source: diffusers/src/diffusers/models/unets/unet_motion_model.py@58eb52c AnimateDiffTransformer3D; arXiv 2307.04725.
 */
export function motionModule(scope: Scope, hiddenStates: Value, options: MotionModuleOptions): Value {
  const { numFrames, heads, layers, groups, maxFrames } = options
  const [rows, channels, height, width] = hiddenStates.shape as [number, number, number, number]
  const batch = rows / numFrames
  const pixels = height * width

  const normalized = groupNormOverFrames(scope.at('norm'), hiddenStates, numFrames, groups)
  // (B, F * C, H * W) -> (B, H * W, F * C): one plain matrix transpose puts the frames of a pixel beside each other.
  const sequences = reshape(transpose(reshape(normalized, [batch, numFrames * channels, pixels]), [0, 2, 1]), [
    batch * pixels,
    numFrames,
    channels,
  ])
  let x = linear(scope.at('proj_in'), sequences, channels) // (B * H * W, F, C)
  for (let i = 0; i < layers; i++)
    x = basicTransformerBlock(scope.at('transformer_blocks', i), x, {
      heads,
      headDim: channels / heads,
      secondAttention: true,
      activation: 'geglu',
      maxPositions: maxFrames,
    })
  const output = linear(scope.at('proj_out'), x, channels)
  return add(
    reshape(transpose(reshape(output, [batch, pixels, numFrames * channels]), [0, 2, 1]), hiddenStates.shape),
    hiddenStates,
  )
}

/** Group normalisation of (B * F, C, H, W) with statistics over all frames of a video. */
function groupNormOverFrames(scope: Scope, x: Value, numFrames: number, groups: number): Value {
  const [rows, channels, height, width] = x.shape as [number, number, number, number]
  const batch = rows / numFrames
  const blocks = [batch, numFrames, groups, (channels / groups) * height * width]
  const grouped = transpose(reshape(x, blocks), [0, 2, 1, 3]) // (B, G, F, c * H * W): moves whole blocks
  const normalized = reshape(normalizeGroups(reshape(grouped, [batch, groups, -1]), 1e-6), grouped.shape)
  const back = reshape(transpose(normalized, [0, 2, 1, 3]), x.shape)
  const perChannel = [channels, 1, 1]
  return add(
    mul(back, reshape(scope.weight('weight', [channels]), perChannel)),
    reshape(scope.weight('bias', [channels]), perChannel),
  )
}
