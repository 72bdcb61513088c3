import { basename, extname } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import { showShape } from '#app/tensor/tensor.ts'
import { quoted } from './file.ts'
import { renamed } from './layouts/views.ts'
import { openWeightsFile } from './open.ts'
import type { Weight, Weights } from './weights.ts'

/** Which of a pipeline's text encoders vectors are for, in the order in which pipelines have them. */
export type EmbeddingPart = 'text_encoder' | 'text_encoder_2'

/** A textual inversion (arXiv 2208.01618): a word that stands for learned vectors. */
export type EmbeddingFile = {
  readonly file: string
  /** The word. */
  readonly token: string
  /** (vectors, width) for each text encoder that it was trained for. */
  readonly vectors: Readonly<Partial<Record<EmbeddingPart, Weight>>>
}

/** CLIP's own rows but for the two at the ends: more cannot be read at once. */
const mostVectors = 75

/** Whether the keys and shapes are those of a textual inversion: one of A1111's names, or one word's vectors alone. */
export function isEmbedding(weights: Weights): boolean {
  const [first, ...more] = weights.values()
  if (!first) return false
  if (more.length > 0) return more.length === 1 && weights.has('clip_l') && weights.has('clip_g')
  const [vectors, width] = first.shape.length === 1 ? [1, first.shape[0]!] : (first.shape as [number, number])
  const isVectors = first.shape.length <= 2 && first.shape.length > 0 && vectors <= mostVectors && width > 1
  return isVectors && !/[.](weight|bias)$/.test(first.name)
}

/**
 * Opens a textual inversion: diffusers' (one key, which is the word), A1111's (.pt with string_to_param and a name;
 * .safetensors with emb_params, called as its file), or one of Stable Diffusion XL (clip_l and clip_g). Reads no
 * values. Throws `bad-model` naming the file. Source: diffusers/src/diffusers/loaders/textual_inversion.py@58eb52c.
 */
export async function openEmbedding(file: string): Promise<EmbeddingFile> {
  const { weights, metadata } = await openWeightsFile(file)
  if (!isEmbedding(weights))
    throw new ProblemError('bad-model', `${file} is no textual inversion: it holds more than the vectors of a word.`, {
      file,
    })
  const stem = basename(file, extname(file))
  const vectorsOf = (weight: Weight): Weight => {
    const { shape } = weight
    if (shape.length > 0 && shape.length <= 2)
      return renamed(weight, weight.name, shape.length === 1 ? [1, shape[0]!] : shape)
    throw new ProblemError(
      'bad-model',
      `${file}: ${quoted(weight.name)} has shape ${showShape(shape)}, where (vectors, width) is needed.`,
      { file, field: weight.name },
    )
  }
  const [first] = weights.values()
  const [small, large] = [weights.get('clip_l'), weights.get('clip_g')]
  if (small && large)
    return { file, token: stem, vectors: { text_encoder: vectorsOf(small), text_encoder_2: vectorsOf(large) } }
  const unnamed = ['*', 'emb_params'].includes(first!.name)
  const token = unnamed ? metadata.name?.trim() || stem : first!.name
  return { file, token, vectors: { text_encoder: vectorsOf(first!) } }
}
