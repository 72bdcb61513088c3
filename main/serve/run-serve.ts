import { toProblem } from '#app/contract/errors.ts'
import { dataDir } from '#main/paths.ts'
import { keepRunning } from '#main/studio/keep-running.ts'
import { startOrOpenRunning } from './open-running.ts'
import { startServe, type ServeOptions, type Served } from './serve.ts'

/**
 * Serves until SIGINT, SIGTERM or SIGHUP; a second one ends at once. In a terminal, Enter prints a fresh link. Opens
 * the studio that runs on this data already, where there is one. Sets the exit code and prints the reason when it can
 * do neither.
 */
export async function runServe(options: ServeOptions): Promise<void> {
  const host: { served?: Served } = {}
  keepRunning(() => host.served?.log)
  const running = { dataDir: options.dataDir ?? dataDir(), open: options.open ?? true, print: console.log }
  const served = await startOrOpenRunning(running, () => startServe(options)).catch((error: unknown) => {
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
