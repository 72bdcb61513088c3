import { ProblemError } from '#app/contract/errors.ts'
import { bpeOf } from './bpe.ts'
import { bytesAsCharacters, charactersAsText } from './byte-level.ts'
import { parseTokenizerConfig, splitSpecial } from './special-tokens.ts'
import type { Tokenizer } from './tokenizer.ts'
import { framed, tokenizerOf } from './tokenizer.ts'

/** The texts of a CLIP tokenizer's files. */
export type ClipFiles = {
  vocab: string
  merges: string
  tokenizerConfig?: string | undefined
  specialTokensMap?: string | undefined
}

const words = /<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu
const partsOfMarker = /\p{L}+|[^\p{L}]+/gu

/** Composed, white space joined, each code point lower-cased by itself (so a final sigma stays as it is). */
function normalized(text: string): string {
  const joined = text.normalize('NFC').replace(/\p{White_Space}+/gu, ' ')
  return Array.from(joined, (character) => character.toLowerCase()).join('')
}

/** The words that are encoded one by one. A marker that only looks special falls apart again. */
const split = (text: string): string[] =>
  (text.match(words) ?? []).flatMap((word) => (/^<\|\w/.test(word) ? (word.match(partsOfMarker) ?? []) : [word]))

/**
 * CLIP's byte-level BPE, id for id that of CLIPTokenizer in transformers 5.23 (models/clip/tokenization_clip.py).
 * Throws bad-model naming the file that is wrong.
 */
export function createClipTokenizer(files: ClipFiles): Tokenizer {
  const bpe = bpeOf(files.vocab, files.merges)
  const config = parseTokenizerConfig(files.tokenizerConfig, files.specialTokensMap, [
    'CLIPTokenizer',
    'CLIPTokenizerFast',
  ])
  const end = '<|endoftext|>'
  const contents = {
    bos_token: config.named.bos_token?.content ?? '<|startoftext|>',
    eos_token: config.named.eos_token?.content ?? end,
    unk_token: config.named.unk_token?.content ?? end,
    pad_token: config.named.pad_token?.content ?? end,
  }
  const special = new Map(config.special)
  for (const content of Object.values(contents))
    if (!special.has(content)) special.set(content, { content, normalized: false })
  const ids = new Map<string, number>()
  for (const content of special.keys()) {
    const id = bpe.idOf(content) ?? config.addedIds.get(content)
    if (id === undefined)
      throw new ProblemError('bad-model', `vocab.json: the special token ${JSON.stringify(content)} has no id.`, {
        file: 'vocab.json',
      })
    ids.set(content, id)
  }
  const idOf = (name: keyof typeof contents) => ids.get(contents[name]) ?? 0
  const unknown = idOf('unk_token')
  const asWritten = [...special.values()].filter((token) => !token.normalized).map((token) => token.content)
  const afterwards = new Map(
    [...special.values()]
      .filter((token) => token.normalized)
      .map((token) => [normalized(token.content), ids.get(token.content) ?? 0]),
  )
  const contentOf = new Map([...ids].map(([content, id]) => [id, content]))

  function encodeWord(word: string): number[] {
    const symbols = bytesAsCharacters(word)
    return bpe.merge([...symbols.slice(0, -1), `${symbols.at(-1)}</w>`], unknown)
  }

  function encode(text: string): number[] {
    return splitSpecial(text, asWritten).flatMap((outer) => {
      if (outer.special) return [ids.get(outer.text) ?? unknown]
      return splitSpecial(normalized(outer.text), [...afterwards.keys()]).flatMap((inner) =>
        inner.special ? [afterwards.get(inner.text) ?? unknown] : split(inner.text).flatMap(encodeWord),
      )
    })
  }

  const decode = (tokens: readonly number[]): string =>
    charactersAsText(tokens.map((id) => bpe.tokenOf(id) ?? contentOf.get(id) ?? '').join(''))
      .replaceAll('</w>', ' ')
      .replace(/^\uFFFD+/u, '')
      .trim()

  const maxLength = config.maxLength ?? 77
  const around = { start: idOf('bos_token'), end: idOf('eos_token'), pad: idOf('pad_token') }
  return tokenizerOf(maxLength, encode, (ids, length) => framed(ids, around, length, decode))
}
