import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { parseTokenizerConfig } from './special-tokens.ts'
import type { Tokenizer } from './tokenizer.ts'
import { framed, tokenizerOf } from './tokenizer.ts'

/** The texts of a tokenizer in the library's own format. */
export type HuggingFaceFiles = {
  tokenizer: string
  tokenizerConfig?: string | undefined
  specialTokensMap?: string | undefined
}

const fileSchema = z.looseObject({ model: z.looseObject({}), added_tokens: z.array(z.unknown()).optional() })

const refuse = (message: string, cause?: unknown): ProblemError =>
  new ProblemError('bad-model', `tokenizer.json: ${message}`, {
    file: 'tokenizer.json',
    ...(cause === undefined ? {} : { cause }),
  })

function parseTokenizerFile(text: string): object {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw refuse(`is not JSON: ${(cause as Error).message}`, cause)
  }
  const parsed = fileSchema.safeParse(json)
  if (!parsed.success) throw refuse('has no model, so it is not a tokenizer of the tokenizers library.')
  return parsed.data
}

/**
 * A tokenizer.json, run by @huggingface/tokenizers. The tokens that its post-processor puts around an empty text are
 * the prompt's start and end. The library is not exact outside common text (a final sigma, U+FEFF, joined emoji), so
 * where a folder also has vocab.json and merges.txt, or spiece.model, use `createClipTokenizer` or `createT5Tokenizer`.
 * Throws bad-model naming the file that is wrong.
 */
export function createHuggingFaceTokenizer(files: HuggingFaceFiles): Tokenizer {
  const file = parseTokenizerFile(files.tokenizer)
  const config = parseTokenizerConfig(files.tokenizerConfig, files.specialTokensMap)
  let inner: HuggingFaceTokenizer
  try {
    // The library writes defaults into the config that it is given.
    inner = new HuggingFaceTokenizer(file, files.tokenizerConfig ? (JSON.parse(files.tokenizerConfig) as object) : {})
  } catch (cause) {
    throw refuse(`cannot be used: ${(cause as Error).message}`, cause)
  }
  const around = inner.encode('', { add_special_tokens: true }).ids
  const end = around.at(-1)
  if (end === undefined || around.length > 2)
    throw refuse(`puts ${around.length} tokens around a text; one at the end, or one on each side, is supported.`)
  const padContent = config.named.pad_token?.content
  const pad = padContent === undefined ? end : inner.token_to_id(padContent)
  if (pad === undefined) throw refuse(`the pad token ${JSON.stringify(padContent)} has no id.`)
  const [start] = around.length === 2 ? around : []
  const special = { ...(start === undefined ? {} : { start }), end, pad }

  const encode = (text: string): number[] =>
    text === '' ? [] : [...inner.encode(text, { add_special_tokens: false }).ids]
  const maxLength = config.maxLength ?? 77
  return tokenizerOf(maxLength, encode, (ids, length) =>
    framed(ids, special, length, (rest) => inner.decode([...rest], { skip_special_tokens: false }).trim()),
  )
}
