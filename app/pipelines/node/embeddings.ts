import { basename, extname } from 'node:path'
import { openEmbedding, type EmbeddingFile, type EmbeddingPart } from '#app/checkpoints/embedding.ts'
import { readWeight } from '#app/checkpoints/read.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { ClipTextConfig } from '#app/models/clip-text.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'

/** A textual inversion's file, and the word for it where that is not its own. */
export type ChosenEmbedding = { readonly file: string; readonly token?: string | undefined }

/** Words with the ids that stand for their vectors, which are behind those of the text encoder's own table. */
export type AddedWords = {
  readonly words: ReadonlyMap<string, readonly number[]>
  /** What the text encoder takes for ids (1, L): with them the vectors, (vectors, width), where there are any. */
  readonly inputs: (ids: Tensor<'int64'>) => {
    readonly input_ids: Tensor<'int64'>
    readonly added_embeddings?: Tensor<'float32'>
  }
}

/**
 * Opens textual inversions for a text encoder. Each is called by its word; and as `embedding:word` or by its file's
 * name behind that, as ComfyUI has it. Throws bad-model for a file that is none, bad-input for one that was made for
 * another text encoder and for a word that two files have.
 */
export async function addWords(
  chosen: readonly ChosenEmbedding[],
  part: EmbeddingPart,
  { vocab_size: vocabSize, hidden_size: width }: Pick<ClipTextConfig, 'vocab_size' | 'hidden_size'>,
): Promise<AddedWords> {
  const words = new Map<string, readonly number[]>()
  const rows: Float32Array[] = []
  const refuse = (message: string): never => {
    throw new ProblemError('bad-input', message, { field: 'embeddings' })
  }
  let next = vocabSize
  for (const { file, token: given } of chosen) {
    const embedding = await openEmbedding(file)
    const token = given ?? embedding.token
    const vectors = embedding.vectors[part]
    if (!vectors) continue
    const [count, size] = vectors.shape as [number, number]
    if (size !== width)
      refuse(`The embedding “${token}” has vectors of ${size} numbers, where this model's text encoder takes ${width}.`)
    if (words.has(token)) refuse(`Two embeddings are called “${token}”: remove one.`)
    const ids = Array.from({ length: count }, (_, i) => next + i)
    for (const word of wordsOf(token, file)) words.set(word, ids)
    rows.push(toFloat32(await readWeight(vectors)).data)
    next += count
  }
  if (rows.length === 0) return { words, inputs: (ids) => ({ input_ids: ids }) }
  const vectors = float32(
    [next - vocabSize, width],
    rows.flatMap((row) => [...row]),
  )
  return { words, inputs: (ids) => ({ input_ids: ids, added_embeddings: vectors }) }
}

const wordsOf = (token: string, file: string): string[] => [
  token,
  `embedding:${token}`,
  `embedding:${basename(file, extname(file))}`,
]

/** The words of textual inversions with as many ids as they have vectors, to be counted: they are nobody's. */
export const countedWords = (
  embeddings: readonly EmbeddingFile[],
  part: EmbeddingPart,
): ReadonlyMap<string, readonly number[]> =>
  new Map(
    embeddings.flatMap(({ file, token, vectors }) => {
      const ids = new Array<number>(vectors[part]?.shape[0] ?? 0).fill(-1)
      return ids.length === 0 ? [] : wordsOf(token, file).map((word) => [word, ids] as const)
    }),
  )
