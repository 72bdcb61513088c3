import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { toProblem } from '#app/contract/errors.ts'
import { SessionCache } from '../session-cache.ts'
import type { Verdict } from './case.ts'
import { findCases } from './find-cases.ts'

/**
 * Runs reference cases and prints a line for each: `PASS|FAIL|SKIP id figure`, then the counts. Exits 1 if any failed, 2 if there is
 * none. DIR holds the layout of the reference cases or a part of it.
 * Usage: parity DIR [--filter TEXT]
 */

const [directory, ...rest] = process.argv.slice(2)
if (!directory || !existsSync(directory)) {
  console.error(directory ? `There is no folder ${directory}.` : 'usage: parity DIR [--filter TEXT]')
  process.exit(2)
}
const filter = rest[0] === '--filter' ? (rest[1] ?? '') : ''
const counts = { PASS: 0, FAIL: 0, SKIP: 0 }
const cases = (await findCases(resolve(directory), new SessionCache())).filter(({ id }) => id.includes(filter))
for (const { id, run } of cases) {
  const { state, figure } = await run().catch((error: unknown): Verdict => ({
    state: 'FAIL',
    figure: toProblem(error).message,
  }))
  counts[state]++
  console.log(`${state} ${id} ${figure}`)
}
console.log(`${counts.PASS} passed, ${counts.FAIL} failed, ${counts.SKIP} skipped`)
if (cases.length === 0) console.error(`No case was found in ${directory}.`)
process.exit(cases.length === 0 ? 2 : counts.FAIL > 0 ? 1 : 0)
