import { add, groupNorm, linear, reshape, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'
import { kernelOf, processorAt } from './attn-processor.ts'
import { spatialNorm } from './spatial-norm.ts'

export type PixelAttentionOptions = {
  readonly groups: number
  readonly epsilon: number
  /** Latents (N, c, h, w) that steer the norm, see spatial-norm.ts. */
  readonly latents?: Value | undefined
}

/**
 * Attention with one head over all pixels of (N, C, H, W), added to its input.
 * Source: diffusers/src/diffusers/models/unets/unet_2d_blocks.py@58eb52c UNetMidBlock2D.
 */
export function pixelAttention(scope: Scope, x: Value, { groups, epsilon, latents }: PixelAttentionOptions): Value {
  const [batch, channels, height, width] = dims(x, 4)
  // Files from before diffusers 0.17 have other names.
  const [q, k, v, out] = scope.has('query.weight')
    ? (['query', 'key', 'value', 'proj_attn'] as const)
    : (['to_q', 'to_k', 'to_v', 'to_out.0'] as const)
  const normalized = latents
    ? spatialNorm(scope.at('spatial_norm'), x, latents)
    : groupNorm(scope.at('group_norm'), x, groups, epsilon)
  const tokens = transpose(reshape(normalized, [batch, channels, height * width]), [0, 2, 1])
  const project = (name: string, from: Value): Value => linear(scope.at(name), from, channels)
  const kernel = kernelOf(processorAt(scope, 'plain'))
  const attended = project(out, kernel(project(q, tokens), project(k, tokens), project(v, tokens), 1))
  return add(reshape(transpose(attended, [0, 2, 1]), x.shape), x)
}
