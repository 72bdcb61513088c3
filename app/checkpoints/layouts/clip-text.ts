import { ProblemError } from '#app/contract/errors.ts'
import type { Weight, Weights } from '../weights.ts'
import { countOf, renamed, rowsOf, transposed } from './views.ts'

export type TextEncoder = { weights: Weights; config: Record<string, unknown>; unused: string[] }

/** What shapes do not tell, as in the text encoders of Stable Diffusion 1.x, 2.x and XL (their config.json). */
const clipL = { num_attention_heads: 12, hidden_act: 'quick_gelu', eos_token_id: 2, layer_norm_eps: 1e-5 }
const openClipH = { num_attention_heads: 16, hidden_act: 'gelu', eos_token_id: 2, layer_norm_eps: 1e-5 }
const openClipG = { ...openClipH, num_attention_heads: 20 }

/** OpenAI's CLIP text encoder under transformers' own keys, with or without the text_model. prefix. */
export function clipTextEncoder(found: Weights): TextEncoder {
  const prefix = found.has('text_model.embeddings.token_embedding.weight') ? 'text_model.' : ''
  // Some merges carry more of CLIP than its text encoder.
  const wanted = (key: string): boolean => /^(embeddings|encoder|final_layer_norm)\./.test(key.slice(prefix.length))
  const weights = new Map([...found].filter(([key]) => key.startsWith(prefix) && wanted(key)))
  return {
    weights: new Map([...weights].map(([key, weight]) => [key, renamed(weight, key)])),
    config: { architectures: ['CLIPTextModel'], ...sizes(weights, prefix), ...clipL },
    unused: [...found.keys()].filter((key) => !weights.has(key)),
  }
}

/**
 * Stable Diffusion 2.x was trained on the state before OpenCLIP-H's last layer, so that layer (the 24th) has no place.
 */
const layersOf2 = 23

/**
 * OpenCLIP's text encoder (ViT-H of 2.x; with its projection, ViT-bigG of XL) under transformers' keys. Its query, key
 * and value weights are one matrix: the three are thirds of the same range. Source: single_file_utils.py@58eb52c
 * convert_open_clip_checkpoint.
 */
export async function openClipTextEncoder(found: Weights, kind: 'sd2' | 'sdxl'): Promise<TextEncoder> {
  const weights = new Map<string, Weight>()
  const unused: string[] = []
  const set = (weight: Weight): unknown => weights.set(weight.name, weight)
  for (const [key, weight] of found) {
    const plain = outside[key]
    const layer = /^transformer\.resblocks\.(\d+)\.(.+)[._](weight|bias)$/.exec(key)
    if (plain !== undefined) set(renamed(weight, plain))
    else if (key === 'text_projection' && kind === 'sdxl') set(await transposed(weight, 'text_projection.weight'))
    else if (layer && !(kind === 'sd2' && Number(layer[1]) >= layersOf2))
      for (const view of layerWeights(weight, layer[1]!, layer[2]!, layer[3]!)) set(view)
    else unused.push(key)
  }
  return {
    weights,
    config: {
      architectures: [kind === 'sdxl' ? 'CLIPTextModelWithProjection' : 'CLIPTextModel'],
      ...sizes(weights, 'text_model.'),
      ...(kind === 'sdxl' ? openClipG : openClipH),
      ...(kind === 'sdxl' && { projection_dim: weights.get('text_projection.weight')?.shape[0] }),
    },
    unused,
  }
}

const outside: Readonly<Record<string, string>> = {
  positional_embedding: 'text_model.embeddings.position_embedding.weight',
  'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
  'ln_final.weight': 'text_model.final_layer_norm.weight',
  'ln_final.bias': 'text_model.final_layer_norm.bias',
}
const inLayer: Readonly<Record<string, string>> = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
  'attn.out_proj': 'self_attn.out_proj',
}

function layerWeights(weight: Weight, index: string, layer: string, kind: string): Weight[] {
  const path = `text_model.encoder.layers.${index}`
  if (layer !== 'attn.in_proj') return [renamed(weight, `${path}.${inLayer[layer] ?? layer}.${kind}`)]
  const width = weight.shape[0]! / 3
  return ['q_proj', 'k_proj', 'v_proj'].map((name, i) =>
    rowsOf(weight, `${path}.self_attn.${name}.${kind}`, i * width, (i + 1) * width),
  )
}

function sizes(weights: Weights, prefix: string): Record<string, number> {
  const size = (key: string, axis: number): number => {
    const found = weights.get(`${prefix}${key}`)?.shape[axis]
    if (found !== undefined) return found
    throw new ProblemError('bad-model', `its text encoder has no weight "${prefix}${key}"; the file is incomplete`, {
      field: `${prefix}${key}`,
    })
  }
  return {
    vocab_size: size('embeddings.token_embedding.weight', 0),
    hidden_size: size('embeddings.token_embedding.weight', 1),
    max_position_embeddings: size('embeddings.position_embedding.weight', 0),
    intermediate_size: size('encoder.layers.0.mlp.fc1.weight', 0),
    num_hidden_layers: countOf(weights.keys(), /(?:^|\.)encoder\.layers\.(\d+)\./),
  }
}
