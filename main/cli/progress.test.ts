import { expect, test } from 'vitest'
import { createProgress, timeWords } from './progress.ts'

function record(isTTY: boolean) {
  let text = ''
  const out = { isTTY, columns: 80, write: (more: string) => (text += more) }
  return { progress: createProgress(out), text: () => text }
}

test('plain lines, one for each new stage, where there is no terminal', () => {
  const { progress, text } = record(false)
  progress.update('Reading weights', 0)
  progress.update('Reading weights', 0.1)
  progress.update('Step 1 of 2', 0.5, 61)
  progress.note('note: frames repeated')
  progress.end()
  expect(text()).toBe('Reading weights\nStep 1 of 2, 1 min 1 s left\nnote: frames repeated\n')
})

test('a bar drawn over itself on a terminal, never wider than it, gone at the end', () => {
  const { progress, text } = record(true)
  progress.update('Step 1 of 2', 0.5)
  expect(text()).toBe(`\r\x1b[2K[${'#'.repeat(15)}${'.'.repeat(15)}]  50 %  Step 1 of 2`)
  progress.update('x'.repeat(200), 1)
  const [last] = text().split('\r\x1b[2K').slice(-1)
  expect(last!.length).toBeLessThan(80)
  progress.end()
  expect(text().endsWith('\r\x1b[2K')).toBe(true)
})

test.each([
  [0.2, '1 s'],
  [59, '59 s'],
  [60, '1 min 0 s'],
  [3725, '1 h 2 min'],
])('%f seconds are "%s"', (seconds, words) => expect(timeWords(seconds)).toBe(words))
