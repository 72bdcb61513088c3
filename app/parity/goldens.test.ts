import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { findCases } from './find-cases.ts'

/** The project's own copy of the reference cases: every one that is there must pass. */
const cases = await findCases(join(import.meta.dirname, '../../e2e/goldens'), new SessionCache())

it('finds the copied cases', () => {
  expect(cases.length).toBeGreaterThan(100)
})

it.each(cases)('$id', async ({ run }) => {
  const { state, figure } = await run()
  expect(state, figure).toBe('PASS')
})
