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
  verbose?: boolean
}

export type Tools = { engine: Supervisor; progress: Progress; signal: AbortSignal }

/**
 * Runs a command with an engine of its own, then ends that. The first Ctrl+C cancels, the second ends at once. Prints what went
 * wrong and sets the exit code, which `work` may also return.
 */
export async function withEngine(
  { memory, verbose }: GlobalOptions,
  work: (tools: Tools) => Promise<number | undefined>,
): Promise<void> {
  const controller = new AbortController()
  const progress = createProgress()
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.cancelled)
    progress.note('Cancelling. Press Ctrl+C again to end at once.')
    controller.abort(new ProblemError('cancelled', 'Cancelled.'))
  }
  process.on('SIGINT', interrupt)
  const engine = createSupervisor({
    enginePath: enginePath(),
    nodePath: nodePath(),
    cacheDir: cacheDir(),
    memoryBudgetBytes: memory === undefined ? Math.floor(totalmem() / 2) : memory * 2 ** 20,
    log: pino({ level: verbose ? 'info' : 'silent', base: null }, pino.destination({ fd: 2, sync: true })),
  })
  try {
    process.exitCode = (await work({ engine, progress, signal: controller.signal })) ?? exitCodes.ok
  } catch (error) {
    progress.end()
    process.exitCode = reportProblem(error)
  } finally {
    progress.end()
    process.off('SIGINT', interrupt)
    await engine.close()
  }
}

/** Prints a failure in words; returns its exit code. */
export function reportProblem(error: unknown): number {
  const problem = toProblem(error)
  const code = exitCodeOf(problem)
  process.stderr.write(`${code === exitCodes.cancelled ? '' : 'error: '}${problem.message}\n`)
  if (problem.code === 'internal' && error instanceof Error && !(error instanceof ProblemError) && error.stack)
    process.stderr.write(`${error.stack}\n`)
  return code
}
