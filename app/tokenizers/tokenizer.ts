import { wordPattern } from '#app/contract/prompts/words.ts'

/** A prompt as a text encoder takes it: exactly `maxLength` ids. */
export type EncodedPrompt = {
  ids: number[]
  /** 1 for the ids of the prompt and its special tokens, 0 for padding. */
  mask: number[]
  /** The end of the prompt that did not fit, as text, or null when all of it did. */
  truncated: string | null
}

export type Tokenizer = {
  /** What the checkpoint's config gives as the longest prompt, special tokens included. */
  readonly maxLength: number
  /** The ids of a text, without special tokens around it. */
  encode(text: string): number[]
  /** The ids of a text with special tokens around them, cut or padded to `maxLength`. */
  frame(ids: readonly number[], maxLength?: number): EncodedPrompt
  /** The ids with special tokens around them, cut or padded to `maxLength` (default: the tokenizer's own). */
  encodePrompt(text: string, options?: { maxLength?: number }): EncodedPrompt
}

/** Cuts or pads `ids` to a prompt of `maxLength`, between a start token, where there is one, and an end token. */
export function framed(
  ids: readonly number[],
  special: { start?: number; end: number; pad: number },
  maxLength: number,
  decode: (ids: readonly number[]) => string,
): EncodedPrompt {
  const start = special.start === undefined ? [] : [special.start]
  const room = maxLength - start.length - 1
  if (!Number.isInteger(maxLength) || room < 0) throw new RangeError(`a prompt cannot be ${maxLength} tokens long`)
  const used = [...start, ...ids.slice(0, room), special.end]
  const padding = new Array<number>(maxLength - used.length).fill(0)
  return {
    ids: [...used, ...padding.map(() => special.pad)],
    mask: [...used.map(() => 1), ...padding],
    truncated: ids.length > room ? decode(ids.slice(room)) : null,
  }
}

export const tokenizerOf = (
  maxLength: number,
  encode: Tokenizer['encode'],
  frame: (ids: readonly number[], maxLength: number) => EncodedPrompt,
): Tokenizer => ({
  maxLength,
  encode,
  frame: (ids, length = maxLength) => frame(ids, length),
  encodePrompt: (text, options = {}) => frame(encode(text), options.maxLength ?? maxLength),
})

/**
 * The tokenizer with words of its own ids: those of a textual inversion, one for each of its vectors. They are found as
 * tokenizers find added tokens, whatever the case, but not inside of a longer word.
 */
export function withWords(tokenizer: Tokenizer, words: ReadonlyMap<string, readonly number[]>): Tokenizer {
  if (words.size === 0) return tokenizer
  const ids = new Map([...words].map(([word, its]) => [word.toLowerCase(), its]))
  const longestFirst = [...ids.keys()].sort((a, b) => b.length - a.length)
  const pattern = new RegExp(`(${longestFirst.map(wordPattern).join('|')})`, 'iu')
  const encode = (text: string): number[] =>
    text.split(pattern).flatMap((piece, i) => (i % 2 === 1 ? ids.get(piece.toLowerCase())! : tokenizer.encode(piece)))
  return tokenizerOf(tokenizer.maxLength, encode, (all, length) => tokenizer.frame(all, length))
}
