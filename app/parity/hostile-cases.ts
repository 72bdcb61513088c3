import { join } from 'node:path'
import { z } from 'zod'
import { openWeightsFile } from '#app/checkpoints/open.ts'
import { mustFail, readJson, type Verdict } from './case.ts'

export const hostileSchema = z.array(z.object({ file: z.string(), must_say: z.array(z.string()) }))

/** hostile/FILE: refused with the given words. A case that must say nothing may also be opened, if it does no harm. */
export async function runHostileCase(folder: string, file: string): Promise<Verdict> {
  const spec = hostileSchema.parse(await readJson(join(folder, 'expected.json'))).find((entry) => entry.file === file)!
  const open = (): Promise<unknown> => openWeightsFile(join(folder, file))
  const verdict = await mustFail(open, spec.must_say)
  if (Object.prototype.hasOwnProperty.call(Object.prototype, 'polluted') || Object.keys({}).length > 0)
    return { state: 'FAIL', figure: 'prototypes were polluted' }
  return spec.must_say.length === 0 && verdict.figure === 'was accepted'
    ? { state: 'PASS', figure: 'no harm' }
    : verdict
}
