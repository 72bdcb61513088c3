import { diskReason } from '#app/files/disk-problem.ts'
import type { Log } from './log.ts'

/**
 * A host does not end by a write. All that is known to write handles its failures where it stands; this is for the
 * rest, a terminal that is gone or a stream without a listener: what the system refused is logged, and the host goes
 * on, once there is one (`log`). Any other error that nobody caught is a fault of Frameloom's own, and ends it as
 * before.
 */
export function keepRunning(log: () => Log | undefined): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  process.on('uncaughtException', (error) => {
    const why = diskReason(error)
    const opened = log()
    opened?.error({ error }, why === undefined ? 'ended by an error that nobody caught' : 'the system refused')
    if (opened && why !== undefined) return
    console.error(why ?? error)
    process.exit(1)
  })
}
