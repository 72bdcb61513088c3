import { ProblemError } from '#app/contract/errors.ts'
import {
  add,
  concat,
  expand,
  gelu,
  layerNorm,
  linear,
  mul,
  reshape,
  slice,
  split,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims, showShape } from '#app/tensor/tensor.ts'
import { required, type Inputs } from '../model.ts'
import { fusedAttention, type AttentionKernel } from './attention-kernels.ts'

/**
 * IP-Adapter: pictures as a second context, which the cross-attention layers of a UNet look at beside the prompt.
 * Paper: arXiv 2308.06721. Reference: diffusers/src/diffusers/models/embeddings.py@58eb52c (the projections) and
 * attention_processor.py IPAdapterAttnProcessor2_0. Keys below a projection are those of the published files.
 */

/** What the layers look at, (B, T, D), and how much it counts, (1). */
export type ImagePrompt = { readonly tokens: Value; readonly scale: Value }

export type ImagePromptInputs = Inputs<never, `added_cond_kwargs.image_embeds.${number}` | 'ip_adapter_scale'>

/** Where the projection of adapter `index` is in a UNet with adapters. */
export const projectionPath = (index: number): string => `encoder_hid_proj.image_projection_layers.${index}`

/** Where the keys and values of adapter `index` are in the attention layer `path`. */
export const processorPath = (path: string, name: 'to_k_ip' | 'to_v_ip', index: number): string =>
  `${path}.processor.${name}.${index}`

/** The first number of published files' plain projection, which its weights alone do not tell. */
const plainTokens = 4

/**
 * The inputs added_cond_kwargs.image_embeds.N of each adapter, n pictures each: (B, n, E) of the encoder's
 * image_embeds, or (B, n, S, E) of its hidden states. `ip_adapter_scale` has one number for each adapter.
 */
export function imagePrompts(scope: Scope, inputs: ImagePromptInputs): ImagePrompt[] {
  const prompts: ImagePrompt[] = []
  for (let i = 0; ; i++) {
    const embeds = inputs[`added_cond_kwargs.image_embeds.${i}`]
    if (!embeds) return prompts
    const scale = required(inputs, 'ip_adapter_scale', 'each IP-Adapter has a scale')
    const [rows, pictures, ...rest] = embeds.shape
    const projected = projection(scope.at(projectionPath(i)), reshape(embeds, [rows! * pictures!, ...rest]), i)
    const tokens = reshape(projected, [rows!, -1, projected.shape[2]!])
    prompts.push({ tokens, scale: scale.shape[0] === 1 ? scale : slice(scale, 0, i, i + 1) })
  }
}

/** (N, E) or (N, S, E) -> (N, T, D), by the kind of projection that the weights are of. */
function projection(scope: Scope, embeds: Value, index: number): Value {
  const refuse = (why: string): never => {
    const field = `added_cond_kwargs.image_embeds.${index}`
    throw new ProblemError('bad-input', `${field} has shape ${showShape(embeds.shape)}: ${why}`, { field })
  }
  if (scope.has('proj.weight')) {
    if (embeds.shape.length !== 2) refuse('this IP-Adapter takes one embedding for each picture')
    const out = scope.shapeOf('proj.weight')![0]!
    const tokens = linear(scope.at('proj'), embeds, out)
    return layerNorm(scope.at('norm'), reshape(tokens, [embeds.shape[0]!, plainTokens, out / plainTokens]))
  }
  if (embeds.shape.length !== 3) refuse("this IP-Adapter takes an encoder's hidden states for each picture")
  if (scope.has('latents')) return resampled(scope, embeds)
  const [hidden, out] = [scope.shapeOf('proj.0.weight')?.[0], scope.shapeOf('proj.2.weight')?.[0]]
  if (hidden === undefined || out === undefined)
    throw new ProblemError('bad-model', `${scope.path} is no projection of an IP-Adapter that is known`)
  return layerNorm(
    scope.at('proj.3'),
    linear(scope.at('proj.2'), gelu(linear(scope.at('proj.0'), embeds, hidden)), out),
  )
}

const headDim = 64

/** A few learned queries look at all tokens of the picture, layer by layer (arXiv 2103.03206). */
function resampled(scope: Scope, embeds: Value): Value {
  const [, queries, width] = scope.shapeOf('latents') as [number, number, number]
  const x = linear(scope.at('proj_in'), embeds, width)
  let latents = expand(scope.weight('latents', [1, queries, width]), [embeds.shape[0]!, queries, width])
  for (let i = 0; scope.has(`layers.${i}.0.to_q.weight`); i++) {
    latents = add(lookAround(scope.at('layers', i, 0), x, latents), latents)
    const ff = scope.at('layers', i, 1)
    const inner = linear(ff.at(1), layerNorm(ff.at(0), latents), ff.shapeOf('1.weight')![0]!, { bias: false })
    latents = add(linear(ff.at(3), gelu(inner), width, { bias: false }), latents)
  }
  return layerNorm(scope.at('norm_out'), linear(scope.at('proj_out'), latents, scope.shapeOf('proj_out.weight')![0]!))
}

/** The queries look at the picture and at themselves. */
function lookAround(scope: Scope, x: Value, latents: Value): Value {
  const inner = scope.shapeOf('to_q.weight')![0]!
  const own = layerNorm(scope.at('norm2'), latents)
  const all = concat([layerNorm(scope.at('norm1'), x), own], 1)
  const [key, value] = split(linear(scope.at('to_kv'), all, 2 * inner, { bias: false }), [inner, inner], -1)
  const query = linear(scope.at('to_q'), own, inner, { bias: false })
  return linear(scope.at('to_out'), fusedAttention(query, key, value, inner / headDim), latents.shape[2]!, {
    bias: false,
  })
}

export type ImageKeys = { readonly key: Value; readonly value: Value; readonly scale: Value }

/** Keys and values that the attention layer at `scope` makes of each picture. */
export const imageKeys = (scope: Scope, prompts: readonly ImagePrompt[], inner: number): ImageKeys[] =>
  prompts.map(({ tokens, scale }, i) => ({
    key: linear(scope.at('processor', 'to_k_ip', i), tokens, inner, { bias: false }),
    value: linear(scope.at('processor', 'to_v_ip', i), tokens, inner, { bias: false }),
    scale,
  }))

/**
 * What a query (R, S, inner) finds in the text, and beside it in the pictures, whose rows divide R: each serves a run.
 */
export function withImages(
  attended: Value,
  query: Value,
  images: readonly ImageKeys[],
  kernel: AttentionKernel,
  heads: number,
): Value {
  return images.reduce((sum, { key, value, scale }) => {
    const [rows] = dims(key, 3)
    const joined = reshape(query, [rows, -1, query.shape[2]!])
    return add(sum, mul(reshape(kernel(joined, key, value, heads), query.shape), scale))
  }, attended)
}
