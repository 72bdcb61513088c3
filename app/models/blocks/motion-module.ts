import type { Scope, Value } from '#app/graph/index.ts'
import { temporalTransformer } from './temporal-transformer.ts'

export type MotionModuleOptions = {
  readonly numFrames: number
  readonly heads: number
  readonly layers: number
  readonly groups: number
  readonly maxFrames: number
  /** Whether there is a second attention layer, as there is without it. */
  readonly doubleSelfAttention?: boolean | undefined
}

/**
 * AnimateDiff's temporal transformer over (B * F, C, H, W): two attention layers over time, or one, with sinusoidal
 * positions.
 */
export function motionModule(scope: Scope, hiddenStates: Value, options: MotionModuleOptions): Value {
  const { numFrames, heads, layers, groups, maxFrames, doubleSelfAttention = true } = options
  return temporalTransformer(scope, hiddenStates, {
    numFrames,
    layers,
    groups,
    heads,
    headDim: Math.floor(hiddenStates.shape[1]! / heads),
    secondAttention: doubleSelfAttention,
    activation: 'geglu',
    maxPositions: maxFrames,
    windows: scope.options.freeNoise,
  })
}
