import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { add, concat, conv2d, mul, reduceMean, reshape, silu, slice, type Scope, type Value } from '#app/graph/index.ts'
import { showShape } from '#app/tensor/tensor.ts'
import type { Inputs, Outputs } from '../model.ts'

/**
 * What the control networks have in common: a copy of a UNet's way down and its middle, an encoder for the picture
 * that conditions, and a convolution for each state that the UNet shall be given.
 * Papers: arXiv 2302.05543 (ControlNet), 2311.16933 (SparseCtrl). Reference:
 * diffusers/src/diffusers/models/controlnets/controlnet.py and controlnet_sparsectrl.py@58eb52c.
 */
export const controlFields = {
  controlnet_conditioning_channel_order: z.enum(['rgb', 'bgr']).default('rgb'),
  conditioning_embedding_out_channels: z.array(z.int()).nonempty().default([16, 32, 96, 256]),
  global_pool_conditions: z.boolean().default(false),
}

export const controlArgs = z.strictObject({ guess_mode: z.boolean().default(false) })

export type ControlInputs = Inputs<never, 'conditioning_scale'>
export type Residuals = Outputs<'mid_block_res_sample' | `down_block_res_samples.${number}`>

/** How many times higher and wider than the latents a picture is, for an encoder of these channels. */
export const conditioningFactor = (channels: readonly number[]): number => 2 ** (channels.length - 1)

/** (N, C, H, W) with its channels the other way round where the network was trained so. */
export function inChannelOrder(cond: Value, order: 'rgb' | 'bgr'): Value {
  if (order === 'rgb') return cond
  const channels = cond.shape[1]!
  return concat(
    Array.from({ length: channels }, (_, i) => slice(cond, 1, channels - 1 - i, channels - i)),
    1,
  )
}

/** (N, C, H * f, W * f) -> (N, out, H, W), with f of `conditioningFactor`. */
export function conditioningEmbedding(scope: Scope, cond: Value, channels: readonly number[], out: number): Value {
  let x = silu(conv2d(scope.at('conv_in'), cond, channels[0]!, { padding: 1 }))
  for (const [i, next] of channels.slice(1).entries()) {
    x = silu(conv2d(scope.at('blocks', 2 * i), x, channels[i]!, { padding: 1 }))
    x = silu(conv2d(scope.at('blocks', 2 * i + 1), x, next, { padding: 1, stride: 2 }))
  }
  return conv2d(scope.at('conv_out'), x, out, { padding: 1 })
}

/**
 * (B, C, H, W) + (b, C, H, W), with b dividing B: a conditioning picture may serve the halves with and without the
 * prompt. Throws bad-input naming controlnet_cond where it does not fit.
 */
export function withCondition(x: Value, cond: Value, picture: Value): Value {
  const [rows, ...sides] = x.shape
  const [condRows, ...condSides] = cond.shape
  if (rows! % condRows! !== 0 || sides.some((size, i) => size !== condSides[i]))
    throw new ProblemError(
      'bad-input',
      `controlnet_cond has shape ${showShape(picture.shape)} and becomes ${showShape(cond.shape)}; the sample's is ${showShape(x.shape)}`,
      { field: 'controlnet_cond' },
    )
  if (condRows === rows) return add(x, cond)
  return reshape(add(reshape(x, [-1, ...cond.shape]), reshape(cond, [1, ...cond.shape])), x.shape)
}

/**
 * What the UNet's states are given: a convolution of each state of the way down and of the middle, times
 * `conditioning_scale` (1), 1 without it. In guess mode the first has a tenth of the last one's weight.
 */
export function controlResiduals(
  scope: Scope,
  states: readonly Value[],
  middle: Value,
  { conditioning_scale: scale }: ControlInputs,
  { guessMode, pool }: { readonly guessMode: boolean; readonly pool: boolean },
): Residuals {
  const residual = (at: Scope, state: Value, weight: number): Value => {
    const x = conv2d(at, state, state.shape[1]!, { kernel: 1 })
    const weighed = guessMode && !pool ? mul(x, weight) : x
    const scaled = scale ? mul(weighed, scale) : weighed
    return pool ? reduceMean(scaled, [2, 3]) : scaled
  }
  return {
    ...Object.fromEntries(
      states.map((state, i) => [
        `down_block_res_samples.${i}`,
        residual(scope.at('controlnet_down_blocks', i), state, 10 ** (i / states.length - 1)),
      ]),
    ),
    mid_block_res_sample: residual(scope.at('controlnet_mid_block'), middle, 1),
  }
}
