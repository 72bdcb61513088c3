import { expect, test } from 'vitest'
import { aClassification, aClip } from '#renderer/store/testing.ts'
import { fileStem, neighbour } from './library.ts'

const stem = (title: string): string => fileStem(aClip({ title }))

test('a file name is made of the words of the prompt and the seed, whatever the prompt holds', () => {
  expect(stem('A red circle, moving left!')).toBe('a-red-circle-moving-left-0')
  expect(stem('../../etc/passwd')).toBe('etc-passwd-0')
  expect(stem('Ein Fluß — 川の流れ')).toBe('ein-fluß-川の流れ-0')
  expect(stem('"; <b>')).toBe('b-0')
  expect(stem('')).toBe('clip-0')
  expect(stem('long '.repeat(40)).length).toBeLessThan(60)
})

test('what is deleted gives way to the next of its view, the last one to the one before', () => {
  const results = [
    aClip({ id: 'a' }),
    aClassification({ id: 'x' }),
    aClip({ id: 'b', kind: 'still' }),
    aClip({ id: 'c' }),
  ]
  const after = (id: string): string | undefined => neighbour(id, results)?.id
  expect([after('a'), after('b'), after('c'), after('x'), after('gone')]).toEqual(['b', 'c', 'b', undefined, undefined])
})
