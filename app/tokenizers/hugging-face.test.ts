import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createHuggingFaceTokenizer } from './hugging-face.ts'

const folder = new URL('../../e2e/goldens/tokenizers/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, folder), 'utf8')
const expected = JSON.parse(read('expected.json')) as { text: string; clip: number[] }[]

const markers = ['<|startoftext|>', '<|endoftext|>'] as const
const words = String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`
/** The golden CLIP tokenizer in the library's own format. */
const file = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: markers.map((content, i) => ({
    id: 709 + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'NFC' },
      { type: 'Replace', pattern: { Regex: String.raw`\s+` }, content: ' ' },
      { type: 'Lowercase' },
    ],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: words }, behavior: 'Removed', invert: true },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    ],
  },
  post_processor: {
    type: 'RobertaProcessing',
    sep: ['<|endoftext|>', 710],
    cls: ['<|startoftext|>', 709],
    trim_offsets: false,
    add_prefix_space: false,
  },
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: '<|endoftext|>',
    continuing_subword_prefix: '',
    end_of_word_suffix: '</w>',
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab: JSON.parse(read('clip/vocab.json')) as unknown,
    merges: read('clip/merges.txt').trimEnd().split('\n').slice(1),
  },
}

describe('createHuggingFaceTokenizer', () => {
  const tokenizerConfig = read('clip/tokenizer_config.json')
  const tokenizer = createHuggingFaceTokenizer({ tokenizer: JSON.stringify(file), tokenizerConfig })

  it.each(expected)('encodes $text as the reference', ({ text, clip }) => {
    expect(tokenizer.encodePrompt(text).ids).toEqual(clip)
  })

  it('says what did not fit', () => {
    expect(tokenizer.encodePrompt('a red circle moving left', { maxLength: 5 }).truncated).toContain('moving')
  })

  it('refuses what is no tokenizer.json', () => {
    expect(() => createHuggingFaceTokenizer({ tokenizer: 'version https://git-lfs' })).toThrow(
      /^tokenizer\.json: is not JSON/,
    )
    expect(() => createHuggingFaceTokenizer({ tokenizer: '{}' })).toThrow(/has no model/)
  })
})
