import { expect, test } from 'vitest'
import { unheard } from './notices.ts'

test('a notice is told once, however often the line to the host is made anew', () => {
  expect(unheard(['The library was damaged.'])).toEqual(['The library was damaged.'])
  expect(unheard(['The library was damaged.', 'A setting fell back.'])).toEqual(['A setting fell back.'])
  expect(unheard([])).toEqual([])
})
