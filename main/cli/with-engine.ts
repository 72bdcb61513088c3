import { totalmem } from 'node:os'
import pino from 'pino'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import { createSupervisor, type Supervisor } from '#main/engine/supervisor.ts'
import { cacheDir, enginePath, nodePath } from '#main/paths.ts'
import { exitCodeOf, exitCodes } from './exit-codes.ts'
import { createProgress, type Progress } from './progress.ts'

export type GlobalOptions = {
  /** Folders with checkpoints beside the usual ones. */
  models: string[]
  /** MiB. */
  memory?: number
  threads?: number
  verbose?: boolean
}

type Engine = Pick<Supervisor, 'call' | 'status' | 'close'>
export type Tools = { engine: Pick<Engine, 'call' | 'status'>; progress: Progress; signal: AbortSignal }

/**
 * Runs a command with an engine, which is started at the first call: a command that is refused before starts none. The
 * first Ctrl+C cancels, the second ends at once. Prints what went wrong and sets the exit code, which `work` may also
 * return.
 */
export type WithEngine = (options: GlobalOptions, work: (tools: Tools) => Promise<number | undefined>) => Promise<void>

/** `open` starts an engine, and closes it at the command's end. */
export const runWith =
  (open: (options: GlobalOptions) => Engine): WithEngine =>
  async (options, work) => {
    const controller = new AbortController()
    const progress = createProgress()
    const interrupt = (): void => {
      if (controller.signal.aborted) process.exit(exitCodes.cancelled)
      progress.note('Cancelling. Press Ctrl+C again to end at once.')
      controller.abort(new ProblemError('cancelled', 'Cancelled.'))
    }
    process.on('SIGINT', interrupt)
    let opened: Engine | undefined
    const engine: Tools['engine'] = {
      call: (method, request, callOptions) => (opened ??= open(options)).call(method, request, callOptions),
      status: () => (opened ??= open(options)).status(),
    }
    try {
      process.exitCode = (await work({ engine, progress, signal: controller.signal })) ?? exitCodes.ok
    } catch (error) {
      progress.end()
      process.exitCode = reportProblem(error)
    } finally {
      progress.end()
      process.off('SIGINT', interrupt)
      await opened?.close()
    }
  }

/** Each command starts an engine of its own. */
export const withOwnEngine = runWith(({ memory, threads, verbose }) =>
  createSupervisor({
    enginePath: enginePath(),
    nodePath: nodePath(),
    cacheDir: cacheDir(),
    memoryBudgetBytes: memory === undefined ? Math.floor(totalmem() / 2) : memory * 2 ** 20,
    threads: threads ?? null,
    log: pino({ level: verbose ? 'info' : 'silent', base: null }, pino.destination({ fd: 2, sync: true })),
  }),
)

/** Prints a failure in words; returns its exit code. */
export function reportProblem(error: unknown): number {
  const problem = toProblem(error)
  const code = exitCodeOf(problem)
  process.stderr.write(`${code === exitCodes.cancelled ? '' : 'error: '}${problem.message}\n`)
  if (problem.code === 'internal' && error instanceof Error && !(error instanceof ProblemError) && error.stack)
    process.stderr.write(`${error.stack}\n`)
  return code
}
