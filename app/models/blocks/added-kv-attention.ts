import {
  add,
  concat,
  groupNorm,
  layerNorm,
  linear,
  reshape,
  transpose,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims, float32, sizeOf } from '#app/tensor/tensor.ts'
import { kernelOf, processorAt } from './attn-processor.ts'

export type AddedKvOptions = {
  readonly heads: number
  readonly headDim: number
  readonly groups: number
  /** (B, L, D) */
  readonly encoderHiddenStates: Value
  /** Looks at the context alone. */
  readonly onlyCrossAttention: boolean
  readonly crossNorm: 'layer_norm' | 'group_norm' | null
  /** Over the context's tokens: (1 or B, 1, 1, L). */
  readonly mask?: Value | undefined
}

/**
 * Attention of the pixels of (B, C, H, W) over a context and themselves, added to its input.
 * Source: diffusers/src/diffusers/models/attention_processor.py@58eb52c AttnAddedKVProcessor.
 */
export function addedKvAttention(scope: Scope, x: Value, options: AddedKvOptions): Value {
  const { heads, headDim, groups, encoderHiddenStates, onlyCrossAttention, mask } = options
  const processor = processorAt(scope, 'added-kv')
  const [batch, channels, height, width] = dims(x, 4)
  const pixels = height * width
  const inner = heads * headDim
  const toTokens = (image: Value): Value => transpose(reshape(image, [batch, channels, pixels]), [0, 2, 1])

  const context = normalizedContext(scope.at('norm_cross'), encoderHiddenStates, options.crossNorm)
  const tokens = toTokens(groupNorm(scope.at('group_norm'), x, groups, 1e-5)) // (B, S, C)
  const over = (added: string, own: string): Value => {
    const ofContext = linear(scope.at(added), context, inner)
    return onlyCrossAttention ? ofContext : concat([ofContext, linear(scope.at(own), tokens, inner)], 1)
  }
  const key = over('add_k_proj', 'to_k')
  const value = over('add_v_proj', 'to_v')
  const bias = mask && overAllKeys(mask, key.shape[1]!)
  const attended = kernelOf(processor)(linear(scope.at('to_q'), tokens, inner), key, value, heads, bias)
  const output = linear(scope.at('to_out', 0), attended, channels)
  return add(reshape(transpose(output, [0, 2, 1]), x.shape), x)
}

function normalizedContext(scope: Scope, context: Value, kind: AddedKvOptions['crossNorm']): Value {
  if (kind === null) return context
  if (kind === 'layer_norm') return layerNorm(scope, context)
  return transpose(groupNorm(scope, transpose(context, [0, 2, 1]), 32, 1e-5), [0, 2, 1])
}

/** The pixels stand after the context's tokens, and all of them count. */
function overAllKeys(mask: Value, length: number): Value {
  const shape = [...mask.shape.slice(0, 3), length - mask.shape[3]!]
  if (shape[3]! <= 0) return mask
  return concat([mask, mask.builder.constant(float32(shape, new Float32Array(sizeOf(shape))))], 3)
}
