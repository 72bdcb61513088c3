import { join } from 'node:path'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import { changedConfig, readSchedulerConfig, type SchedulerConfig } from '#app/schedulers/config.ts'
import { createScheduler } from '#app/schedulers/create.ts'
import type { Scheduler, SchedulerOptions } from '#app/schedulers/scheduler.ts'
import { textOf } from '#app/tokenizers/node/clip-tokenizer.ts'

/** What a run chooses of its schedule. */
export type Schedule = {
  /** A scheduler's class name, or null for the checkpoint's own. */
  readonly scheduler: string | null
  readonly eta: number
  /** Keys that replace those of scheduler_config.json. */
  readonly schedulerConfig?: Readonly<Record<string, unknown>>
}

/**
 * Makes the schedulers of a folder with a scheduler_config.json, each for one run of `steps` steps and `batch` samples.
 * Throws bad-model naming the file.
 */
export async function openScheduler(
  folder: string,
  schedule: Schedule = { scheduler: null, eta: 0 },
): Promise<(steps: number, batch?: number) => Scheduler> {
  const file = join(folder, 'scheduler_config.json')
  const text = await textOf(file)
  if (text === undefined)
    throw new ProblemError('bad-model', `${file} is missing. Download the whole folder.`, { file })
  return schedulersOf(readSchedulerConfig(text), schedule)
}

/** Makes the scheduler of a run: that of a file's config with what the run changes in it. */
export function schedulersOf(
  own: SchedulerConfig,
  { scheduler, schedulerConfig = {}, eta }: Schedule,
  options: SchedulerOptions = {},
): (steps: number, batch?: number) => Scheduler {
  return (steps, batch = 1) => {
    const create = (config: SchedulerConfig) =>
      createScheduler(config, scheduler ?? config._class_name, steps, { eta, batch, ...options })
    try {
      return create(changedConfig(own, schedulerConfig))
    } catch (error) {
      throw ofChange(error, () => create(own))
    }
  }
}

/** A schedule that is sound without what the run changes in it is the run's fault, not the file's. */
function ofChange(error: unknown, createUnchanged: () => void): unknown {
  const { code, message } = toProblem(error)
  if (code !== 'bad-model') return error
  try {
    createUnchanged()
  } catch {
    return error
  }
  const inWords = message.replace('scheduler_config.json: ', '')
  return new ProblemError('bad-input', inWords, { field: 'schedulerConfig', cause: error })
}
