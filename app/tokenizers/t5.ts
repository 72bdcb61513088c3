import { ProblemError } from '#app/contract/errors.ts'
import { createCharsmap } from './charsmap.ts'
import { parseSentencePiece, type SentencePieceModel } from './sentencepiece.ts'
import { parseTokenizerConfig, splitSpecial } from './special-tokens.ts'
import type { Tokenizer } from './tokenizer.ts'
import { framed, tokenizerOf } from './tokenizer.ts'
import { createUnigram } from './unigram.ts'

/**
 * A T5 tokenizer's files: the bytes of spiece.model, or what tokenizer.json holds of it; and the texts of the others.
 */
export type T5Files = ({ spiece: Uint8Array } | { tokenizer: SentencePieceModel }) & {
  tokenizerConfig?: string | undefined
  specialTokensMap?: string | undefined
}

/**
 * T5's SentencePiece unigram tokenizer, id for id that of T5Tokenizer in transformers 5.23
 * (models/t5/tokenization_t5.py). Throws bad-model naming the file that is wrong.
 */
export function createT5Tokenizer(files: T5Files): Tokenizer {
  const isSpiece = 'spiece' in files
  const file = isSpiece ? 'spiece.model' : 'tokenizer.json'
  const model = isSpiece ? parseSentencePiece(files.spiece) : files.tokenizer
  if (model.modelType !== 'unigram')
    throw new ProblemError('bad-model', `${file}: T5 needs a unigram model, and this is ${model.modelType}.`, { file })
  const config = parseTokenizerConfig(files.tokenizerConfig, files.specialTokensMap, ['T5Tokenizer', 'T5TokenizerFast'])
  // A tokenizer.json has them among its pieces.
  const extraIds = isSpiece ? (config.extraIds ?? 100) : 0
  const extra = Array.from({ length: extraIds }, (_, i) => ({ text: `<extra_id_${extraIds - 1 - i}>`, score: 0 }))
  const pieces = [...model.pieces, ...extra]
  const idOf = new Map(pieces.map((piece, id) => [piece.text, id]))
  const unknownId = model.pieces.findIndex((piece) => piece.type === 'unknown')

  const named = {
    eos_token: config.named.eos_token?.content ?? '</s>',
    unk_token: config.named.unk_token?.content ?? '<unk>',
    pad_token: config.named.pad_token?.content ?? '<pad>',
  }
  const marked = model.pieces.filter((piece) => piece.type === 'control' || piece.type === 'user-defined')
  const special = new Map<string, number>()
  const contents = [...marked, ...extra].map((piece) => piece.text)
  for (const content of [...Object.values(named), ...config.special.keys(), ...contents]) {
    const id = idOf.get(content) ?? config.addedIds.get(content)
    if (id === undefined || unknownId < 0)
      throw new ProblemError('bad-model', `${file}: the special token ${JSON.stringify(content)} is not in it.`, {
        file,
      })
    special.set(content, id)
  }
  const contentOf = new Map([...special].map(([content, id]) => [id, content]))

  const normalize = createCharsmap(model.charsmap)
  const segment = createUnigram(pieces, unknownId)

  /** Words between white space, each after a ▁, and cut before every ▁ of its own. */
  const split = (text: string): string[] =>
    (text.match(/\P{White_Space}+/gu) ?? []).flatMap(
      (word) => `${word.startsWith('▁') ? '' : '▁'}${word}`.match(/▁[^▁]*/gu) ?? [],
    )

  const encode = (text: string): number[] =>
    splitSpecial(text, [...special.keys()]).flatMap((piece) =>
      piece.special ? [special.get(piece.text) ?? unknownId] : split(normalize(piece.text)).flatMap(segment),
    )

  const decode = (ids: readonly number[]): string =>
    ids
      .map((id) => pieces[id]?.text ?? contentOf.get(id) ?? '')
      .join('')
      .replaceAll('▁', ' ')
      .trim()

  const maxLength = config.maxLength ?? 512
  const around = { end: special.get(named.eos_token) ?? 1, pad: special.get(named.pad_token) ?? 0 }
  return tokenizerOf(maxLength, encode, (ids, length) => framed(ids, around, length, decode))
}
