import { expect, test } from 'vitest'
import { GraphBuilder } from '#app/graph/index.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { configure } from './configure.ts'

test('sessions with another number of threads are let go, and only those', async () => {
  const sessions = new SessionCache()
  const set = configure(sessions)
  const open = () =>
    sessions.open('double', 'double', () => {
      const builder = new GraphBuilder('double')
      const x = builder.input('x', 'float32', [2])
      builder.output('y', builder.emit('Add', [x, x], {}))
      return builder.finish()
    })
  await set({ memoryBudgetBytes: 1e9, threads: 2 })
  const first = await open()
  await set({ memoryBudgetBytes: 2e9, threads: 2 })
  expect(await open()).toBe(first)
  await set({ memoryBudgetBytes: 2e9, threads: 1 })
  expect(sessions.stats().sessions).toEqual([])
  expect(await open()).not.toBe(first)
})
