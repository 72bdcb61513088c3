import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ProblemError } from '#app/contract/errors.ts'
import { parseSentencePiece } from './sentencepiece.ts'
import { createT5Tokenizer } from './t5.ts'
import { parseUnigramFile } from './node/unigram-file.ts'

const folder = new URL('../../e2e/goldens/tokenizers/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, folder), 'utf8')
const files = {
  spiece: new Uint8Array(readFileSync(new URL('t5/spiece.model', folder))),
  tokenizerConfig: read('t5/tokenizer_config.json'),
  specialTokensMap: read('t5/special_tokens_map.json'),
}
const expected = JSON.parse(read('expected.json')) as { text: string; t5: number[]; t5_mask: number[] }[]
// Ids of transformers 5.23, with and without the 100 extra ids of genuine T5 folders.
const more = JSON.parse(readFileSync(new URL('reference-cases.json', import.meta.url), 'utf8')) as {
  t5: { name: string; tokenizerConfig: object; cases: { text: string; ids: number[] }[] }[]
}

describe('createT5Tokenizer', () => {
  const tokenizer = createT5Tokenizer(files)

  it.each(expected)('encodes $text as the reference', ({ text, t5, t5_mask }) => {
    expect(tokenizer.encodePrompt(text, { maxLength: t5.length })).toMatchObject({ ids: t5, mask: t5_mask })
  })

  it.each(more.t5)('encodes odd texts as the reference with the config of $name', ({ tokenizerConfig, cases }) => {
    const other = createT5Tokenizer({ ...files, tokenizerConfig: JSON.stringify(tokenizerConfig) })
    expect(cases.length).toBeGreaterThan(8)
    for (const { text, ids } of cases) expect([text, other.encode(text)]).toEqual([text, ids])
  })

  it('says what did not fit', () => {
    const { ids, truncated } = tokenizer.encodePrompt('a red circle moving left', { maxLength: 9 })
    expect(ids.length).toBe(9)
    expect(ids.at(-1)).toBe(1)
    expect(truncated).toBe('left')
  })

  it('refuses every file that is cut short, and other files', () => {
    for (let length = 0; length < files.spiece.length; length += Math.ceil(files.spiece.length / 300))
      expect(() => createT5Tokenizer({ ...files, spiece: files.spiece.slice(0, length) })).toThrow(ProblemError)
    const html = new TextEncoder().encode('<!DOCTYPE html><html><body>404</body></html>')
    expect(() => createT5Tokenizer({ ...files, spiece: html })).toThrow(/^spiece\.model: /)
  })

  it('reads a tokenizer.json of the same pieces as the reference reads spiece.model', () => {
    const { pieces, charsmap } = parseSentencePiece(files.spiece)
    const tokenizerFile = (change: object = {}) =>
      JSON.stringify({
        added_tokens: pieces.flatMap(({ text, type }) =>
          type === 'control' ? [{ content: text, special: true }] : [],
        ),
        normalizer: { type: 'Precompiled', precompiled_charsmap: Buffer.from(charsmap).toString('base64') },
        pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
        model: {
          type: 'Unigram',
          unk_id: pieces.findIndex(({ type }) => type === 'unknown'),
          vocab: pieces.map(({ text, score }) => [text, score]),
        },
        ...change,
      })
    const { tokenizerConfig, specialTokensMap } = files
    const other = createT5Tokenizer({ tokenizer: parseUnigramFile(tokenizerFile()), tokenizerConfig, specialTokensMap })
    for (const { text, t5, t5_mask } of expected)
      expect(other.encodePrompt(text, { maxLength: t5.length })).toMatchObject({ ids: t5, mask: t5_mask })
    const refused = (text: string) => () => parseUnigramFile(text)
    expect(refused('{')).toThrow(/^tokenizer\.json: is not JSON/)
    expect(refused(tokenizerFile({ normalizer: { type: 'NFKC' } }))).toThrow(/normalizer is not as in a T5 tokenizer/)
  })

  it('refuses a config for another tokenizer', () => {
    const create = () => createT5Tokenizer({ ...files, tokenizerConfig: '{"tokenizer_class": "CLIPTokenizer"}' })
    expect(create).toThrow(/this model needs T5Tokenizer/)
  })
})
