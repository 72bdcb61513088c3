import { expect, test } from 'vitest'
import { attnProcessorNames, attnProcessorTable, namesWith, offered } from './attn-processor-table.ts'
import { attnProcessorSchema, parseAttnChoice } from './attn-processors.ts'

test("the table has diffusers' names: the union AttentionProcessor (attention_processor.py@58eb52c)", () => {
  expect(attnProcessorNames.toSorted()).toEqual([
    'AttnAddedKVProcessor',
    'AttnAddedKVProcessor2_0',
    'AttnProcessor',
    'AttnProcessor2_0',
    'CustomDiffusionAttnProcessor',
    'CustomDiffusionAttnProcessor2_0',
    'CustomDiffusionXFormersAttnProcessor',
    'FusedAttnProcessor2_0',
    'LoRAAttnAddedKVProcessor',
    'LoRAAttnProcessor',
    'LoRAAttnProcessor2_0',
    'LoRAXFormersAttnProcessor',
    'SlicedAttnAddedKVProcessor',
    'SlicedAttnProcessor',
    'XFormersAttnAddedKVProcessor',
    'XFormersAttnProcessor',
  ])
})

test('added keys and values, and slices, are what the names say', () => {
  for (const name of attnProcessorNames) {
    const { addedKv, argument, kernel } = attnProcessorTable[name]
    expect([name, addedKv]).toEqual([name, name.includes('AddedKV')])
    expect([name, argument === 'weights']).toEqual([name, name.startsWith('CustomDiffusion')])
    expect([name, argument === 'slice_size', kernel === 'sliced']).toEqual([
      name,
      name.startsWith('Sliced'),
      name.startsWith('Sliced'),
    ])
  }
})

// CROSS_ATTENTION_PROCESSORS and ADDED_KV_ATTENTION_PROCESSORS, which have no LoRA names.
test('the default comes back from the processors that diffusers lists', () => {
  const resets = attnProcessorNames.filter((name) => attnProcessorTable[name].resets)
  expect(resets.filter((name) => !attnProcessorTable[name].addedKv).sort()).toEqual([
    'AttnProcessor',
    'AttnProcessor2_0',
    'SlicedAttnProcessor',
    'XFormersAttnProcessor',
  ])
  expect(resets.filter((name) => attnProcessorTable[name].addedKv).sort()).toEqual([
    'AttnAddedKVProcessor',
    'AttnAddedKVProcessor2_0',
    'SlicedAttnAddedKVProcessor',
    'XFormersAttnAddedKVProcessor',
  ])
})

test('a menu offers the same ways for both kinds of layer, the initial one first', () => {
  expect(offered(false)).toEqual([
    { processor: 'AttnProcessor2_0' },
    { processor: 'AttnProcessor' },
    { processor: 'SlicedAttnProcessor', slice_size: 1 },
  ])
  expect(offered(true)).toEqual([
    { processor: 'AttnAddedKVProcessor2_0' },
    { processor: 'AttnAddedKVProcessor' },
    { processor: 'SlicedAttnAddedKVProcessor', slice_size: 1 },
  ])
})

test('every processor is taken with its own argument, and says what is wrong with another', () => {
  const refusal = (value: unknown): string | undefined => attnProcessorSchema.safeParse(value).error?.issues[0]?.message
  for (const processor of namesWith('none')) expect(attnProcessorSchema.parse({ processor })).toEqual({ processor })
  for (const processor of namesWith('slice_size')) {
    expect(attnProcessorSchema.parse({ processor, slice_size: 2 })).toEqual({ processor, slice_size: 2 })
    expect(refusal({ processor })).toBe('Invalid input: expected number, received undefined')
    expect(refusal({ processor, slice_size: 0 })).toBe('Too small: expected number to be >=1')
    expect(refusal({ processor, slice_size: 1.5 })).toBe('Invalid input: expected int, received number')
  }
  for (const processor of namesWith('weights')) {
    expect(attnProcessorSchema.parse({ processor })).toEqual({ processor })
    expect(attnProcessorSchema.parse({ processor, weights: 'dog' })).toEqual({ processor, weights: 'dog' })
    expect(refusal({ processor, weights: '' })).toBe('Too small: expected string to have >=1 characters')
  }
  expect(refusal({ processor: 'Nope' })).toMatch(/^Invalid discriminator value\. Expected 'AttnProcessor2_0' \| /)
})

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
