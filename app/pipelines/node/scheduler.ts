import { join } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import { readSchedulerConfig } from '#app/schedulers/config.ts'
import { createScheduler } from '#app/schedulers/create.ts'
import type { Scheduler } from '#app/schedulers/scheduler.ts'
import { textOf } from '#app/tokenizers/node/clip-tokenizer.ts'

/** Another class, and a whole config, in place of the folder's. */
export type SchedulerChoice = {
  readonly scheduler: string | null
  readonly schedulerConfig?: Readonly<Record<string, unknown>> | undefined
}

/**
 * Makes the schedulers of a folder with a scheduler_config.json, each for one run of `steps` steps and `batch` samples.
 * Throws bad-model naming the file.
 */
export async function openScheduler(
  folder: string,
  { scheduler = null, schedulerConfig }: Partial<SchedulerChoice> = {},
): Promise<(steps: number, batch?: number) => Scheduler> {
  const file = join(folder, 'scheduler_config.json')
  const text = await textOf(file)
  if (text === undefined)
    throw new ProblemError('bad-model', `${file} is missing. Download the whole folder.`, { file })
  const own = readSchedulerConfig(text)
  return (steps, batch = 1) => createScheduler(schedulerConfig ?? own, scheduler ?? own._class_name, steps, { batch })
}
