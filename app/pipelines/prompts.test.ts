import { expect, test } from 'vitest'
import { float32 } from '#app/tensor/tensor.ts'
import { tokenizerOf, withWords, type Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { promptChunks } from '#app/tokenizers/prompt-chunks.ts'
import { encodeTexts, type Context, type PromptReader } from './prompts.ts'

/** A letter is a token, its code the id; six of them and a mark on each side are read at once. */
const letters: Tokenizer = tokenizerOf(
  8,
  (text) => Array.from(text.replaceAll(/\s/g, ''), (letter) => letter.charCodeAt(0)),
  (ids, length) => {
    const used = [1, ...ids.slice(0, length - 2), 2]
    return {
      ids: [...used, ...new Array<number>(length - used.length).fill(0)],
      mask: [],
      truncated: ids.length > length - 2 ? String.fromCharCode(...ids.slice(length - 2)) : null,
    }
  },
)
/** Each id is its own state, twice. */
const encode: PromptReader['encode'] = (_, { data }) =>
  Promise.resolve({
    states: float32(
      [1, data.length, 2],
      [...data].flatMap((id) => [Number(id), Number(id)]),
    ),
  })

const read = async (texts: string[], syntax: 'plain' | 'a1111', steps = 4) =>
  encodeTexts(
    texts.map((text) => ({ name: 'prompt', texts: [text], skip: 0 })),
    { readers: [{ tokenizer: letters, encode }], syntax, steps },
  )
const idsOf = (context: Context, step = 0): number[] => {
  const { data } = typeof context === 'function' ? context(step) : context
  return [...data].filter((_, i) => i % 2 === 0)
}

test('plain words beyond what is read at once are left out, and told', async () => {
  const { context, notes } = await read(['abcdefgh'], 'plain')
  expect(idsOf(context)).toEqual([1, 97, 98, 99, 100, 101, 102, 2])
  expect(notes).toEqual(['The prompt is longer than 8 tokens; this part was left out: gh'])
})

test('longer prompts are read in chunks, all as many as the longest has', async () => {
  const { context, notes } = await read(['x', 'abcdefgh'], 'a1111')
  expect(notes).toEqual([])
  expect(context).toMatchObject({ shape: [2, 16, 2] })
  const chunks = [
    [1, 120, 2, 0, 0, 0, 0, 0],
    [1, 2, 0, 0, 0, 0, 0, 0],
  ]
  expect(idsOf(context)).toEqual([
    ...chunks.flat(),
    ...[1, 97, 98, 99, 100, 101, 102, 2],
    ...[1, 103, 104, 2, 0, 0, 0, 0],
  ])
})

test('a short prompt without any syntax is read as plain words are', async () => {
  const [plain, other] = [await read(['abc'], 'plain'), await read(['abc'], 'a1111')]
  expect(other.context).toEqual(plain.context)
})

test('BREAK ends a chunk, and weights multiply states, whose mean stays', async () => {
  expect(promptChunks(letters, 'ab BREAK c').map(({ ids }) => ids)).toEqual([[97, 98], [99]])
  expect(promptChunks(letters, ' BREAK ').length).toBe(1)
  const { context } = await read(['a(b:2)'], 'a1111')
  const [sum, weighed] = [1 + 97 + 98 + 2, 1 + 97 + 98 * 2 + 2]
  idsOf(context)
    .slice(0, 4)
    .forEach((value, i) => {
      expect(value).toBeCloseTo(([1, 97, 196, 2][i]! * sum) / weighed, 3)
    })
})

test('a prompt that changes is read once for each way that it stands', async () => {
  const { context } = await read(['[a|b]', 'x'], 'a1111')
  expect([0, 1, 2, 9].map((step) => idsOf(context, step)[1])).toEqual([97, 98, 97, 98])
})

/** A second one, whose states are the ids as one number; the text as a whole is its first letter, or nothing. */
const second: PromptReader = {
  tokenizer: letters,
  encode: (_, { data }) =>
    Promise.resolve({
      states: float32([1, data.length, 1], Array.from(data, Number)),
      pooled: float32([1, 1], [Number(data[1])]),
    }),
}

test('two readers stand side by side, in as many chunks as the longer has, pooled from the first', async () => {
  const how = { readers: [{ tokenizer: letters, encode }, second], syntax: 'a1111' as const, steps: 2 }
  const prompt = { name: 'prompt', texts: ['(ab:2)', '[c|d]efghij'], skip: 0 }
  const { context, pooled } = await encodeTexts([{ name: 'negative prompt', texts: null, skip: 0 }, prompt], how)
  if (typeof context !== 'function' || typeof pooled !== 'function') throw new Error('the prompt changes')
  const { shape, data } = context(1)
  expect(shape).toEqual([2, 16, 3])
  const [without, withPrompt] = [data.subarray(0, 16 * 3), data.subarray(16 * 3)]
  expect(new Set(without)).toEqual(new Set([0]))
  expect([...withPrompt].filter((_, i) => i % 3 === 2)).toEqual([
    ...[1, 100, 101, 102, 103, 104, 105, 2],
    ...[1, 106, 2, 0, 0, 0, 0, 0],
  ])
  // The first reader's text ends in its first chunk, and its weight is its own.
  expect(withPrompt[8 * 3]).toBe(1)
  expect(withPrompt[9 * 3]).toBe(2)
  expect(withPrompt[3]! / withPrompt[0]!).toBeCloseTo(2 * 97)
  expect([...pooled(0).data, ...pooled(1).data]).toEqual([0, 99, 0, 100])
})

test('added words are found whatever their case, not inside of others, the longest first', () => {
  const known = withWords(
    letters,
    new Map([
      ['<s>', [900, 901]],
      ['my-neg', [902]],
      ['<s>x', [903]],
    ]),
  )
  expect(known.encode('a <S>, my-neg')).toEqual([97, 900, 901, 44, 902])
  expect(known.encode('<s>x')).toEqual([903])
  expect(known.encode('my-negs')).toEqual(letters.encode('my-negs'))
  expect(known.frame([5]).ids).toEqual([1, 5, 2, 0, 0, 0, 0, 0])
})
