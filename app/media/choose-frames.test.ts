import { expect, it } from 'vitest'
import { chooseFrames } from './choose-frames.ts'

it('chooses one list of frames, or one for each window', () => {
  expect(chooseFrames({ kind: 'even' }, 8, 15)).toEqual({ windows: [[0, 2, 4, 6, 8, 10, 12, 14]], notes: [] })
  expect(chooseFrames({ kind: 'rate', frameSampleRate: 1 }, 8, 20).windows[0]).toHaveLength(8)
  const { windows } = chooseFrames({ kind: 'windows', count: 3 }, 8, 40)
  expect(windows).toHaveLength(3)
  expect(windows.flat().every((index) => index >= 0 && index < 40)).toBe(true)
})

it('repeats frames of a clip that is too short, and says so', () => {
  const { windows, notes } = chooseFrames({ kind: 'even' }, 8, 3)
  expect(windows.flat().every((index) => index < 3)).toBe(true)
  expect(notes).toEqual([expect.stringContaining('used more than once')])
  expect(chooseFrames({ kind: 'windows', count: 3 }, 8, 10).notes).toEqual([expect.stringContaining('too short for 3')])
})
