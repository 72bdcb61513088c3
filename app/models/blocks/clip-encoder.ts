import { activation, add, layerNorm, linear, type Scope, type Value } from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'
import { fusedAttention } from './attention-kernels.ts'

/** What CLIP's two encoders have in their configs alike. */
export type ClipEncoderConfig = {
  readonly hidden_size: number
  readonly intermediate_size: number
  readonly num_attention_heads: number
  readonly hidden_act: string
  readonly layer_norm_eps: number
}

/**
 * One layer of CLIP's encoders over (N, L, D). Source: transformers/models/clip/modeling_clip.py, 5.23
 * CLIPEncoderLayer.
 */
export function clipEncoderLayer(scope: Scope, input: Value, config: ClipEncoderConfig, mask?: Value): Value {
  const norm = (name: string, x: Value): Value => layerNorm(scope.at(name), x, { epsilon: config.layer_norm_eps })
  const attended = selfAttention(scope.at('self_attn'), norm('layer_norm1', input), config.num_attention_heads, mask)
  const x = add(input, attended)
  const mlp = scope.at('mlp')
  const hidden = linear(mlp.at('fc1'), norm('layer_norm2', x), config.intermediate_size)
  const activated = activation(config.hidden_act, 'hidden_act')(hidden)
  return add(x, linear(mlp.at('fc2'), activated, config.hidden_size))
}

function selfAttention(scope: Scope, x: Value, heads: number, mask?: Value): Value {
  const [, , dim] = dims(x, 3)
  const project = (name: string): Value => linear(scope.at(name), x, dim)
  const attended = fusedAttention(project('q_proj'), project('k_proj'), project('v_proj'), heads, mask)
  return linear(scope.at('out_proj'), attended, dim)
}
