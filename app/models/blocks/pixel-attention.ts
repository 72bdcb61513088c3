import { add, div, groupNorm, linear, reshape, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'
import { kernelOf, processorAt } from './attn-processor.ts'
import { spatialNorm } from './spatial-norm.ts'

export type PixelAttentionOptions = {
  /** null: the pixels come in as they are. */
  readonly groups: number | null
  readonly epsilon: number
  /** Width of a head; without it there is one of all channels. */
  readonly headDim?: number
  readonly outputScaleFactor?: number
  /** Latents (N, c, h, w) that steer the norm, see spatial-norm.ts. */
  readonly latents?: Value | undefined
}

/**
 * Attention over all pixels of (N, C, H, W), added to its input.
 * Source: diffusers/src/diffusers/models/unets/unet_2d_blocks.py@58eb52c UNetMidBlock2D.
 */
export function pixelAttention(scope: Scope, x: Value, options: PixelAttentionOptions): Value {
  const { groups, epsilon, latents, outputScaleFactor = 1 } = options
  const [batch, channels, height, width] = dims(x, 4)
  const headDim = options.headDim ?? channels
  const heads = Math.floor(channels / headDim)
  // Files from before diffusers 0.17 have other names.
  const [q, k, v, out] = scope.has('query.weight')
    ? (['query', 'key', 'value', 'proj_attn'] as const)
    : (['to_q', 'to_k', 'to_v', 'to_out.0'] as const)
  const normalized = latents
    ? spatialNorm(scope.at('spatial_norm'), x, latents)
    : groups === null
      ? x
      : groupNorm(scope.at('group_norm'), x, groups, epsilon)
  const tokens = transpose(reshape(normalized, [batch, channels, height * width]), [0, 2, 1])
  const project = (name: string): Value => linear(scope.at(name), tokens, heads * headDim)
  const kernel = kernelOf(processorAt(scope, 'plain'))
  const attended = linear(scope.at(out), kernel(project(q), project(k), project(v), heads), channels)
  const sum = add(reshape(transpose(attended, [0, 2, 1]), x.shape), x)
  return outputScaleFactor === 1 ? sum : div(sum, outputScaleFactor)
}
