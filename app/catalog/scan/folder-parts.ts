import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import { readSchedulerConfig } from '#app/schedulers/config.ts'
import { createScheduler } from '#app/schedulers/create.ts'

/** Bytes of the weights below, and the precision of the first part, which is the one that counts. */
export async function weightsOf(
  folder: string,
  parts: readonly string[],
): Promise<{ bytes: number; precision: string }> {
  let bytes = 0
  let precision = ''
  for (const part of parts) {
    const { summary } = await openCheckpoint(join(folder, part))
    bytes += summary.bytes
    precision ||= summary.precision ?? ''
  }
  return { bytes, precision }
}

/** The class of a scheduler. Throws bad-model naming its class or key where no run can have it. */
export async function requireScheduler(file: string): Promise<string> {
  const config = readSchedulerConfig(await readFile(file, 'utf8'))
  try {
    createScheduler(config, config._class_name, 10)
  } catch (error) {
    if (toProblem(error).code !== 'bad-input') throw error // the steps, which a run chooses
  }
  return config._class_name
}

export function requireFiles(folder: string, wanted: readonly (readonly string[])[]): void {
  for (const any of wanted) {
    if (any.some((name) => existsSync(join(folder, name)))) continue
    const file = join(folder, any[0]!)
    throw new ProblemError('bad-model', `${folder} has no ${any.join(' and no ')}. Download the whole folder.`, {
      file,
    })
  }
}
