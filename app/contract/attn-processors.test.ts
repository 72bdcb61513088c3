import { expect, test } from 'vitest'
import { parseAttnChoice } from './attn-processors.ts'

test.each([
  { processor: 'AttnProcessor' },
  { 'a.processor': { processor: 'SlicedAttnProcessor', slice_size: 2 }, 'b.processor': { processor: 'AttnProcessor' } },
])('%j is read as it is', (choice) => {
  expect(parseAttnChoice(JSON.stringify(choice))).toEqual(choice)
})

test.each([
  ['{', /no JSON/],
  ['[]', /no map/],
  ['{"a.processor": {"processor": "Nope"}}', /"Nope".*layer "a\.processor"/],
  ['{"processor": "Nope"}', /no attention processor/],
])('the file %s is refused in words', (text, words) => {
  expect(() => parseAttnChoice(text)).toThrow(words)
})
