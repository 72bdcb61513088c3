import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultCompute, precisions, providerNames } from '#app/contract/compute.ts'
import { toProblem } from '#app/contract/errors.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import type { Verdict } from './case.ts'
import { findCases } from './find-cases.ts'

/**
 * Runs reference cases and prints a line for each: `PASS|FAIL|SKIP id figure`, then the counts. Exits 1 if any failed,
 * 2 if there is none. DIR holds the layout of the reference cases or a part of it. On another provider than the
 * processor the agreement asked for is wider, and cases that run a model are skipped where it is missing.
 * Usage: parity DIR [--filter TEXT] [--provider NAME] [--precision NAME]
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    filter: { type: 'string', default: '' },
    provider: { type: 'string', default: defaultCompute.provider },
    precision: { type: 'string', default: defaultCompute.precision },
  },
})
const { filter } = values
const [directory] = positionals
const provider = providerNames.find((name) => name === values.provider)
const precision = precisions.find((name) => name === values.precision)
if (!directory || !existsSync(directory) || !provider || !precision) {
  console.error(
    directory && provider && precision
      ? `There is no folder ${directory}.`
      : `usage: parity DIR [--filter TEXT] [--provider ${providerNames.join('|')}] [--precision ${precisions.join('|')}]`,
  )
  process.exit(2)
}
const sessions = new SessionCache()
sessions.configure({ compute: { provider, precision } })
const counts = { PASS: 0, FAIL: 0, SKIP: 0 }
const cases = (await findCases(resolve(directory), sessions)).filter(({ id }) => id.includes(filter))
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
