import { toProblem } from '#app/contract/errors.ts'
import { keepRunning } from '#main/studio/keep-running.ts'
import { startServe, type ServeOptions, type Served } from './serve.ts'

/**
 * Serves until SIGINT, SIGTERM or SIGHUP; a second one ends at once. In a terminal, Enter prints a fresh link. Sets the
 * exit code and prints the reason when it cannot start.
 */
export async function runServe(options: ServeOptions): Promise<void> {
  const host: { served?: Served } = {}
  keepRunning(() => host.served?.log)
  const served = await startServe(options).catch((error: unknown) => {
    console.error(toProblem(error).message)
    process.exitCode = 1
  })
  if (!served) return
  host.served = served
  let ending = false
  const end = (): void => {
    if (ending) process.exit(1)
    ending = true
    setTimeout(() => process.exit(1), 8000).unref()
    void served.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  if (process.stdin.isTTY) process.stdin.on('data', () => console.log(`A fresh link (good once): ${served.newLink()}`))
}
