import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import type { SentencePieceModel } from '../sentencepiece.ts'

const charsmapSchema = z.object({
  type: z.literal('Precompiled'),
  precompiled_charsmap: z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64'))),
})
/** What else T5's own files have: it only takes white space away that words are cut at anyway. */
const spacesSchema = z.union([
  z.object({ type: z.literal('Strip') }),
  z.object({ type: z.literal('Replace'), pattern: z.object({ Regex: z.literal(' {2,}') }) }),
])
const normalizerSchema = z.union([
  z.null().transform(() => []),
  charsmapSchema.transform((one) => [one]),
  z
    .object({ type: z.literal('Sequence'), normalizers: z.array(z.union([charsmapSchema, spacesSchema])) })
    .transform(({ normalizers }) => normalizers),
])

const metaspaceSchema = z.object({
  type: z.literal('Metaspace'),
  replacement: z.literal('▁'),
  prepend_scheme: z.literal('always').default('always'),
  add_prefix_space: z.literal(true).default(true),
  split: z.literal(true).default(true),
})
const cutSchema = z.union([
  metaspaceSchema,
  z.object({
    type: z.literal('Sequence'),
    pretokenizers: z.tuple([z.object({ type: z.literal('WhitespaceSplit') }), metaspaceSchema]),
  }),
])

const fileSchema = z.object({
  added_tokens: z.array(z.object({ content: z.string(), special: z.boolean().default(true) })).default([]),
  normalizer: normalizerSchema,
  pre_tokenizer: cutSchema,
  model: z.object({
    type: z.literal('Unigram'),
    unk_id: z.int().min(0),
    byte_fallback: z.literal(false).default(false),
    vocab: z.array(z.tuple([z.string().min(1), z.number()])).min(1),
  }),
})

/**
 * The tokenizer.json of a T5 (the tokenizers library's format) as the SentencePiece model that it was made from. Throws
 * bad-model naming the key that says something else than T5's files do.
 */
export function parseUnigramFile(text: string): SentencePieceModel {
  const refuse = (message: string, cause?: unknown) =>
    new ProblemError('bad-model', `tokenizer.json: ${message}`, {
      file: 'tokenizer.json',
      ...(cause === undefined ? {} : { cause }),
    })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw refuse(`is not JSON: ${(cause as Error).message}`, cause)
  }
  const parsed = fileSchema.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw refuse(`${issue?.path.join('.') || 'the whole'} is not as in a T5 tokenizer: ${issue?.message}`)
  }
  const { added_tokens, normalizer, model } = parsed.data
  const added = new Set(added_tokens.filter(({ special }) => special).map(({ content }) => content))
  const maps = normalizer.flatMap((one) => ('precompiled_charsmap' in one ? [one.precompiled_charsmap] : []))
  return {
    modelType: 'unigram',
    charsmap: maps[0] ?? new Uint8Array(),
    pieces: model.vocab.map(([text, score], id) => ({
      text,
      score,
      type: id === model.unk_id ? 'unknown' : added.has(text) ? 'control' : 'normal',
    })),
  }
}
