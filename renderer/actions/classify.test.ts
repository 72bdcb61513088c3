import { expect, test } from 'vitest'
import { windowsOf } from './classify.ts'

test('the frames that the page sends are the ones that the engine would pick', () => {
  expect(windowsOf({ kind: 'even' }, 8, 15)).toEqual([[0, 2, 4, 6, 8, 10, 12, 14]])
  expect(windowsOf({ kind: 'rate', frameSampleRate: 1 }, 8, 20)[0]).toHaveLength(8)
  const windows = windowsOf({ kind: 'windows', count: 3 }, 8, 40)
  expect(windows).toHaveLength(3)
  expect(windows.flat().every((index) => index >= 0 && index < 40)).toBe(true)
})

test('a clip that is too short repeats frames rather than asking for some that are not there', () => {
  expect(
    windowsOf({ kind: 'even' }, 8, 3)
      .flat()
      .every((index) => index < 3),
  ).toBe(true)
})
