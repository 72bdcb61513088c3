import { add, groupNorm, reshape, silu, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'

/**
 * Four convolutions along the frames of (B * F, C, H, W), added to their input.
 * Source: diffusers/src/diffusers/models/resnet.py@58eb52c TemporalConvLayer; arXiv 2308.06571.
 */
export function temporalConv(scope: Scope, x: Value, numFrames: number, groups: number): Value {
  const [rows, channels, height, width] = dims(x, 4)
  const byFrame = [rows / numFrames, numFrames, channels, height, width]
  const video = transpose(reshape(x, byFrame), [0, 2, 1, 3, 4]) // (B, C, F, H, W)
  let state = video
  // The places of norm and convolution in the reference's sequences: the first has no dropout between them.
  for (const [name, at] of [
    ['conv1', 2],
    ['conv2', 3],
    ['conv3', 3],
    ['conv4', 3],
  ] as const)
    // prettier-ignore
    state = convOverFrames(scope.at(name, at), silu(groupNorm(scope.at(name, 0), state, groups, 1e-5)))
  return reshape(transpose(add(video, state), [0, 2, 1, 3, 4]), x.shape)
}

function convOverFrames(scope: Scope, x: Value): Value {
  const channels = x.shape[1]!
  return scope.emit(
    'Conv',
    [x, scope.weight('weight', [channels, channels, 3, 1, 1]), scope.weight('bias', [channels])],
    { kernel_shape: [3, 1, 1], pads: [1, 0, 0, 1, 0, 0], strides: [1, 1, 1] },
  )
}
