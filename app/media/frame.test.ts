import { expect, it } from 'vitest'
import { paddedToEven, rotated, type RgbFrame } from './frame.ts'
import { fpsOfDelays, frameDurations } from './timing.ts'

const gray = (width: number, values: readonly number[]): RgbFrame => ({
  width,
  height: values.length / width,
  data: Uint8Array.from(values.flatMap((value) => [value, value, value])),
})

it('rotated turns clockwise', () => {
  const frame = gray(3, [1, 2, 3, 4, 5, 6])
  expect(rotated(frame, 90)).toEqual(gray(2, [4, 1, 5, 2, 6, 3]))
  expect(rotated(frame, 180)).toEqual(gray(3, [6, 5, 4, 3, 2, 1]))
  expect(rotated(frame, -90)).toEqual(gray(2, [3, 6, 2, 5, 1, 4]))
  expect(rotated(frame, 360)).toBe(frame)
})

it('paddedToEven repeats the last column and row', () => {
  expect(paddedToEven(gray(3, [1, 2, 3]))).toEqual(gray(4, [1, 2, 3, 3, 1, 2, 3, 3]))
  const even = gray(2, [1, 2, 3, 4])
  expect(paddedToEven(even)).toBe(even)
})

it('durations keep the sum, and whole rates come back', () => {
  expect(frameDurations(6, 30, 1000)).toEqual([33, 34, 33, 33, 34, 33])
  expect(frameDurations(4, 8, 100)).toEqual([13, 12, 13, 12])
  for (const fps of [1, 7, 8, 12, 24, 25, 30]) {
    expect(fpsOfDelays(frameDurations(16, fps, 1000))).toBe(fps)
    expect(fpsOfDelays(frameDurations(16, fps, 100).map((hundredths) => hundredths * 10))).toBe(fps)
  }
  expect(fpsOfDelays([0, 10, 0])).toBe(10) // what browsers make of it
  expect(fpsOfDelays([40, 41, 90])).toBe(17.544)
  expect(fpsOfDelays([])).toBe(10)
})
