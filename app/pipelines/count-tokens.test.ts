import { join } from 'node:path'
import { expect, test } from 'vitest'
import { resourcesDir } from '#main/paths.ts'
import { countTokens } from './count-tokens.ts'
import { openClipTokenizer } from '#app/tokenizers/node/clip-tokenizer.ts'
import { openT5Tokenizer } from '#app/tokenizers/node/t5-tokenizer.ts'
import { withWords } from '#app/tokenizers/tokenizer.ts'

const clip = await openClipTokenizer(join(resourcesDir(), 'clip-tokenizer'))
const reading = { syntax: 'a1111', steps: 1, maxLength: null } as const
const plain = { ...reading, syntax: 'plain' } as const
const words = (count: number, word = 'cat'): string => new Array<string>(count).fill(word).join(' ')

test('tokens are counted without the marks around them, weights without their brackets', () => {
  expect(countTokens(clip, 'a photo of a cat', reading)).toEqual({ tokens: 5, room: 75, begins: [] })
  expect(countTokens(clip, 'a (photo:1.3) of [a] <lora:fog:0.8> cat', reading).tokens).toBe(5)
  expect(countTokens(clip, 'a (photo:1.3) of [a] cat', plain).tokens).toBeGreaterThan(9)
  expect(countTokens(clip, '', reading)).toEqual({ tokens: 0, room: 75, begins: [] })
})

test('longer prompts are parts of 75, each told by its first words', () => {
  const long = `${words(75)} the river at night`
  expect(countTokens(clip, long, reading)).toEqual({ tokens: 79, room: 150, begins: ['the river at night'] })
  expect(countTokens(clip, 'fog BREAK a red boat on a calm lake', reading)).toEqual({
    tokens: 8,
    room: 150,
    begins: ['a red boat on a calm lake'],
  })
})

test('plain words have one part, and what is left out is told by its first words', () => {
  expect(countTokens(clip, words(75), plain)).toEqual({ tokens: 75, room: 75, begins: [] })
  expect(countTokens(clip, `${words(75)} the river BREAK`, plain)).toEqual({
    tokens: 78,
    room: 75,
    begins: ['the river break'],
  })
})

test('a prompt that changes on the way counts at its longest', () => {
  const changing = `a [cat:${words(80, 'dog')}:0.5]`
  expect(countTokens(clip, changing, { ...reading, steps: 10 })).toMatchObject({ tokens: 81, room: 150 })
  expect(countTokens(clip, changing, reading).tokens).toBe(81)
})

test("a textual inversion's word has as many tokens as it has vectors", () => {
  const toy = withWords(clip, new Map([['<toy>', [-1, -1, -1]]]))
  expect(countTokens(toy, 'a photo of <toy>', reading).tokens).toBe(6)
})

test('T5 has one mark and the limit that it is asked for', async () => {
  const t5 = await openT5Tokenizer(join(import.meta.dirname, '../../e2e/goldens/tokenizers/t5'))
  const { tokens, begins } = countTokens(t5, 'a photo of a cat', { ...plain, maxLength: 300 })
  expect(tokens).toBe(t5.encode('a photo of a cat').length)
  expect(begins).toEqual([])
  expect(countTokens(t5, words(400), { ...plain, maxLength: 300 })).toMatchObject({ room: 299 })
})
