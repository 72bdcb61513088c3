import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { processorMs } from '#app/checkpoints/testing.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { bpeOf } from './bpe.ts'
import { createClipTokenizer } from './clip.ts'

const folder = new URL('../../e2e/goldens/tokenizers/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, folder), 'utf8')
const files = {
  vocab: read('clip/vocab.json'),
  merges: read('clip/merges.txt'),
  tokenizerConfig: read('clip/tokenizer_config.json'),
  specialTokensMap: read('clip/special_tokens_map.json'),
}
const expected = JSON.parse(read('expected.json')) as { text: string; clip: number[] }[]
// Ids of transformers 5.23 for texts of mixed scripts, controls and markers, under the configs of SD 1.5 and 2.1 too.
const more = JSON.parse(readFileSync(new URL('reference-cases.json', import.meta.url), 'utf8')) as {
  clip: { name: string; tokenizerConfig: object; specialTokensMap: object; cases: { text: string; ids: number[] }[] }[]
}

describe('createClipTokenizer', () => {
  const tokenizer = createClipTokenizer(files)

  it.each(expected)('encodes $text as the reference', ({ text, clip }) => {
    expect(tokenizer.encodePrompt(text).ids).toEqual(clip)
  })

  it.each(more.clip)('encodes odd texts as the reference with the config of $name', (variant) => {
    const { tokenizerConfig, specialTokensMap } = variant
    const other = createClipTokenizer({
      ...files,
      tokenizerConfig: JSON.stringify(tokenizerConfig),
      specialTokensMap: JSON.stringify(specialTokensMap),
    })
    expect(variant.cases.length).toBeGreaterThan(10)
    for (const { text, ids } of variant.cases) expect([text, other.encode(text)]).toEqual([text, ids])
  })

  it('pads with the token of special_tokens_map.json, which outranks the config', () => {
    const padded = createClipTokenizer({ ...files, specialTokensMap: '{"pad_token": "!"}' })
    expect(padded.encodePrompt('a').ids.slice(0, 5)).toEqual([709, 320, 710, 0, 0])
    expect(padded.encodePrompt('a').mask.slice(0, 5)).toEqual([1, 1, 1, 0, 0])
  })

  it('says what did not fit', () => {
    expect(tokenizer.encodePrompt('a red circle').truncated).toBeNull()
    const { ids, truncated } = tokenizer.encodePrompt('A red circle moving left, on Black!', { maxLength: 6 })
    expect(ids).toEqual([709, 320, 626, 550, 551, 710])
    expect(truncated).toBe('left , on black !')
  })

  it('reads a long word without stalling', async () => {
    const took = await processorMs(async () => {
      expect(tokenizer.encode('東'.repeat(5000)).length).toBeGreaterThan(5000)
    })
    expect(took).toBeLessThan(5000)
  })

  const broken: [what: string, change: Partial<typeof files>, message: RegExp][] = [
    ['vocab that is no JSON', { vocab: '<html>' }, /^vocab\.json: is not JSON/],
    ['vocab with a fractional id', { vocab: '{"a": 0.5}' }, /^vocab\.json: the id of "a"/],
    ['vocab that is a list', { vocab: '["a"]' }, /^vocab\.json: is not an object/],
    ['vocab with an id twice', { vocab: '{"a": 1, "b": 1}' }, /^vocab\.json: two tokens/],
    ['merge of three', { merges: '#version: 0.2\ni n g\n' }, /^merges\.txt: line 2 is not two tokens/],
    ['merge into nothing', { merges: 'i n\nq q\n' }, /^merges\.txt: line 2 needs the token "qq"/],
    [
      'missing special token',
      { specialTokensMap: '{"pad_token": "<pad>"}' },
      /^vocab\.json: the special token "<pad>"/,
    ],
    ['another tokenizer', { tokenizerConfig: '{"tokenizer_class": "T5Tokenizer"}' }, /tokenizer_class is T5Tokenizer/],
    ['config of a wrong type', { tokenizerConfig: '{"pad_token": 3}' }, /^tokenizer_config\.json: pad_token/],
    ['map that is no JSON', { specialTokensMap: '' }, /^special_tokens_map\.json: is not JSON/],
  ]
  it.each(broken)('refuses %s', (_, change, message) => {
    const create = () => createClipTokenizer({ ...files, ...change })
    expect(create).toThrow(ProblemError)
    expect(create).toThrow(message)
  })
})

it('the pairs of the same files are read once, those of others anew', () => {
  const of = (merges: string) => bpeOf('{"a": 0, "b": 1, "ab": 2}', merges)
  const joining = of('a b')
  expect(of('a b')).toBe(joining)
  expect(joining.merge(['a', 'b'], 0)).toEqual([2])
  expect(of('').merge(['a', 'b'], 0)).toEqual([0, 1])
})
