import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { chosenThreads, fewestThreads, threadCurve } from './threads.ts'

const curve = (...ms: number[]) => ms.map((each, i) => ({ threads: i + 1, ms: each, share: 0.97 }))

test.each([
  { name: 'four cores with two threads each', ms: [40, 20.5, 14, 10.3, 10.4, 10.2, 10.1, 10.05], threads: 4 },
  { name: 'cores that all help', ms: [40, 20, 13.3, 10], threads: 4 },
  { name: 'a slow core that keeps the others waiting', ms: [40, 20, 25, 24], threads: 2 },
  { name: 'one core', ms: [40], threads: 1 },
])('the fewest threads that are as fast as any: $name', ({ ms, threads }) => {
  expect(fewestThreads(curve(...ms))).toBe(threads)
})

test('what was measured beside other work is not taken', () => {
  const [one, two] = curve(40, 250)
  expect(fewestThreads([one!, { ...two!, share: 0.5 }])).toBeUndefined()
})

test('a curve is of real products, and a choice is one that this process may have', async () => {
  const points = await threadCurve(2)
  expect(points.map(({ threads }) => threads)).toEqual([1, 2])
  for (const { ms, share } of points) {
    expect(ms).toBeGreaterThan(0)
    expect(share).toBeGreaterThan(0)
  }
  const chosen = await chosenThreads(undefined)
  expect(chosen).toBe(availableParallelism())
})
