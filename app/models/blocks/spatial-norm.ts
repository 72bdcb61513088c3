import { add, conv2d, groupNorm, interpolateNearest, mul, type Scope, type Value } from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'

/**
 * Group normalisation of (N, C, H, W) whose scale and shift come from latents (N, c, h, w).
 * Source: diffusers/src/diffusers/models/attention_processor.py@58eb52c SpatialNorm; arXiv 2209.09002.
 */
export function spatialNorm(scope: Scope, x: Value, latents: Value): Value {
  const [, channels, height, width] = dims(x, 4)
  const resized = interpolateNearest(latents, height, width)
  const scale = conv2d(scope.at('conv_y'), resized, channels, { kernel: 1 })
  const shift = conv2d(scope.at('conv_b'), resized, channels, { kernel: 1 })
  return add(mul(groupNorm(scope.at('norm_layer'), x, 32, 1e-6), scale), shift)
}
