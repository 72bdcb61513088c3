import type { Handler } from '../call.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

/** What sessions may hold and how many threads they use. Sessions with another number of threads are let go. */
export const configure = (sessions: SessionCache) => {
  let used: number | null = null
  return (async ({ memoryBudgetBytes, threads }) => {
    sessions.configure({ budgetBytes: memoryBudgetBytes, threads })
    if (threads !== used) await sessions.close()
    used = threads
    return null
  }) satisfies Handler<'configure'>
}
