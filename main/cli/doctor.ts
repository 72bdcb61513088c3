import { missingFolders } from '#main/paths.ts'
import { exitCodes } from './exit-codes.ts'
import { table } from './table.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

/** What this machine has. Fails when the CPU provider computes wrongly, because then nothing works. */
export async function doctor(options: GlobalOptions & { json?: boolean }, tools: Tools): Promise<number> {
  tools.progress.update('Checking this machine', 0)
  const ofEngine = await tools.engine.call('doctor', { full: true }, { signal: tools.signal })
  const missing = missingFolders().map((detail) => ({ name: 'Folders', state: 'missing' as const, detail }))
  const checks = [...ofEngine.checks, ...missing]
  tools.progress.end()
  if (options.json) console.log(JSON.stringify({ checks }, null, 2))
  else console.log(table(checks.map(({ name, state, detail }) => [state, name, detail])))
  const works = checks.some(({ name, state }) => name === 'Provider cpu' && state === 'ok')
  return works ? exitCodes.ok : exitCodes.failed
}
