import type { Handler } from '../call.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

/** What sessions may hold and how many threads they use; in force for the sessions opened from now on. */
export const configure = (sessions: SessionCache) =>
  (async ({ memoryBudgetBytes, threads }) => {
    sessions.configure({ budgetBytes: memoryBudgetBytes, threads })
    return null
  }) satisfies Handler<'configure'>
