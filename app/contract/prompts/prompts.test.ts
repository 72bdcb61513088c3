import { expect, test } from 'vitest'
import { aModel } from '#renderer/store/testing.ts'
import type { ModelEntry } from '../models.ts'
import { namesIn, unknownNames, withNamed, withoutLoras } from './names.ts'
import { promptAt } from './schedule.ts'
import { weightedParts } from './syntax.ts'

const parts = (prompt: string): unknown[] =>
  weightedParts(prompt).map((part) => (part === 'BREAK' ? part : [part.text, Number(part.weight.toFixed(4))]))

// The cases of A1111's own parse_prompt_attention (modules/prompt_parser.py), and some of ours.
test.each([
  ['normal text', [['normal text', 1]]],
  [
    'an (important) word',
    [
      ['an ', 1],
      ['important', 1.1],
      [' word', 1],
    ],
  ],
  ['(unbalanced', [['unbalanced', 1.1]]],
  ['\\(literal\\]', [['(literal]', 1]]],
  ['(unnecessary)(parens)', [['unnecessaryparens', 1.1]]],
  [
    'a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).',
    [
      ['a ', 1],
      ['house', 1.573],
      [' ', 1.1],
      ['on', 1],
      [' a ', 1.1],
      ['hill', 0.55],
      [', sun, ', 1.1],
      ['sky', 1.4641],
      ['.', 1.1],
    ],
  ],
  ['[less] BREAK (more:-1)', [['less', 0.9091], [' ', 1], 'BREAK', [' ', 1], ['more', -1]]],
  ['time 12:30, Big Breakfast', [['time 12:30, Big Breakfast', 1]]],
  ['a ] b ) c:1)', [['a ] b ) c:1)', 1]]],
])('weights of %s', (prompt, expected) => {
  expect(parts(prompt)).toEqual(expected)
})

test.each([
  ['a [cat|dog] runs', ['a cat runs', 'a dog runs', 'a cat runs', 'a dog runs']],
  ['[a|b|]', ['a', 'b', '', 'a']],
  ['a [cat:dog:0.5]', ['a cat', 'a cat', 'a dog', 'a dog']],
  ['a [cat::1] b', ['a cat b', 'a  b', 'a  b', 'a  b']],
  ['[(cat:1.2):3]', ['', '', '', '(cat:1.2)']],
  ['[a:[b|c]:2]', ['a', 'a', 'b', 'c']],
  [
    'a [quiet] (place:1.1)',
    ['a [quiet] (place:1.1)', 'a [quiet] (place:1.1)', 'a [quiet] (place:1.1)', 'a [quiet] (place:1.1)'],
  ],
  ['a \\[b|c\\] [d', ['a \\[b|c\\] [d', 'a \\[b|c\\] [d', 'a \\[b|c\\] [d', 'a \\[b|c\\] [d']],
  ['a ) b ] c | d: e', ['a ) b ] c | d: e', 'a ) b ] c | d: e', 'a ) b ] c | d: e', 'a ) b ] c | d: e']],
])('%s from step to step', (prompt, expected) => {
  expect([0, 1, 2, 3].map((step) => promptAt(prompt, step, 4))).toEqual(expected)
})

test('a prompt as long as fits is read at once, whatever is in it', () => {
  for (const unit of ['(', '[', '[a:', '[a|', '\\', '(a:1', ':', 'BREAK '])
    expect(Array.isArray(weightedParts(promptAt(unit.repeat(20_000 / unit.length), 1, 4)))).toBe(true)
})

test('names are read and taken out', () => {
  const prompt = 'a <lora:night sky:0.8> boat <lora:Fog> with embedding:bad-hands.'
  expect(namesIn(prompt)).toEqual({
    loras: [
      { name: 'night sky', scale: 0.8 },
      { name: 'Fog', scale: 1 },
    ],
    embeddings: ['bad-hands'],
  })
  expect(withoutLoras(prompt)).toBe('a  boat  with embedding:bad-hands.')
})

const entry = (id: string, more: Partial<ModelEntry>): ModelEntry => aModel({ id, name: id, ...more })
const models = [
  entry('me--styles/fog', { kind: 'lora' }),
  entry('bad-hands', { kind: 'embedding', token: 'bad-hands' }),
  entry('cat-toy-5f', { kind: 'embedding', name: 'learned_embeds', token: '<cat-toy>' }),
]
const settings = {
  prompt: 'a <lora:Fog.safetensors:0.5> <cat-toy>, category',
  negativePrompt: 'embedding:bad-hands',
  promptSyntax: 'a1111' as const,
  loras: [{ id: 'other', scale: 1 }],
  embeddings: [],
}

test('what a prompt names is in the settings that are run', () => {
  expect(withNamed(settings, models)).toEqual({
    ...settings,
    loras: [
      { id: 'other', scale: 1 },
      { id: 'me--styles/fog', scale: 0.5 },
    ],
    embeddings: ['bad-hands', 'cat-toy-5f'],
  })
  // Once more changes nothing, so a recipe means what it meant.
  expect(withNamed(withNamed(settings, models), models)).toEqual(withNamed(settings, models))
  expect(withNamed({ ...settings, promptSyntax: 'plain' as const }, models).loras).toEqual(settings.loras)
  expect(unknownNames(settings, models)).toEqual([])
  expect(unknownNames(settings, [])).toEqual(['the LoRA “Fog.safetensors”', 'the embedding “bad-hands”'])
  expect(unknownNames({ ...settings, promptSyntax: 'plain' }, [])).toEqual([])
})
