import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import { createT5Tokenizer } from '../t5.ts'
import type { Tokenizer } from '../tokenizer.ts'
import { textOf } from './clip-tokenizer.ts'
import { parseUnigramFile } from './unigram-file.ts'

/** A T5's tokenizer folder: spiece.model, or a tokenizer.json alone. Throws bad-model naming the file that is wrong. */
export async function openT5Tokenizer(folder: string): Promise<Tokenizer> {
  const [tokenizerConfig, specialTokensMap, tokenizer] = await Promise.all(
    ['tokenizer_config.json', 'special_tokens_map.json', 'tokenizer.json'].map((name) => textOf(join(folder, name))),
  )
  const spiece = await readFile(join(folder, 'spiece.model')).catch(() => undefined)
  if (spiece) return createT5Tokenizer({ spiece, tokenizerConfig, specialTokensMap })
  if (tokenizer !== undefined)
    return createT5Tokenizer({ tokenizer: parseUnigramFile(tokenizer), tokenizerConfig, specialTokensMap })
  throw new ProblemError('bad-model', `${folder} has no T5 tokenizer: spiece.model or tokenizer.json is missing`, {
    file: folder,
  })
}
