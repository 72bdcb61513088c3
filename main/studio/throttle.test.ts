import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { intervalMs } from './job-board.ts'
import { createThrottle } from './throttle.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('of ten thousand values in a second, at most 20 of a key are told: the first, the newest of each interval, and the last', () => {
  const told: string[] = []
  const throttle = createThrottle<string>(intervalMs, (value) => told.push(value))
  for (let i = 0; i < 10_000; i++) {
    throttle.push('a', `a${i}`)
    if (i === 0) throttle.push('b', 'b0')
    vi.advanceTimersByTime(0.1)
  }
  expect(told.slice(0, 2)).toEqual(['a0', 'b0'])
  expect(told.filter((value) => value.startsWith('a')).length).toBeLessThanOrEqual(20)
  expect(told.length).toBeGreaterThan(10)
  vi.advanceTimersByTime(intervalMs)
  expect(told.at(-1)).toBe('a9999')
})

test('what is flushed is told at once, and what waited is dropped', () => {
  const told: string[] = []
  const throttle = createThrottle<string>(50, (value) => told.push(value))
  throttle.push('a', 'first')
  throttle.push('a', 'waiting')
  throttle.flush('a', 'last')
  vi.advanceTimersByTime(200)
  expect(told).toEqual(['first', 'last'])
})
