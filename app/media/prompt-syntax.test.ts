import { expect, test } from 'vitest'
import { foreignSyntax } from './prompt-syntax.ts'

test.each([
  ['(a red circle:1.4) moving [left]', ['(a red circle:1.4)', '[left]']],
  ['a red circle BREAK moving left', ['BREAK']],
  ['<lora:mylora:0.8> red circle', ['<lora:mylora:0.8>']],
  ['embedding:EasyNegative, red circle', ['embedding:EasyNegative']],
  ['a [cat:dog:0.5] and a [red|blue] bird', ['[cat:dog:0.5]']],
  ['a {red|blue} bird AND a tree', ['{red|blue}', 'AND']],
  ['((masterpiece)), a boat', ['((masterpiece))']],
  ['(a, (b:1.2):1.3)', ['(b:1.2)']],
])('%s', (prompt, found) => {
  const notes = foreignSyntax(prompt)
  expect(notes.map((note) => /“(.*?)”/.exec(note)?.[1])).toEqual(found)
  for (const note of notes) expect(note).toMatch(/It is read as plain words\.$/)
})

test.each([
  '',
  'a red circle, moving left',
  'time: 12:30, a "clock"',
  'breakfast and coffee',
  'an escaped \\(bracket\\)',
])('plain words have no note: %s', (prompt) => expect(foreignSyntax(prompt)).toEqual([]))

test('a prompt as long as fits is read at once', () => {
  for (const unit of ['(', '[a:', '<lora:', '(a:1', '{a|', ' '])
    expect(Array.isArray(foreignSyntax(unit.repeat(20_000 / unit.length)))).toBe(true)
})
