import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { memory } from './child.ts'

/** One side of a race: a process that answers a line with a line of JSON. */
export type Peer = {
  readonly ask: (line: string) => Promise<Record<string, number>>
  /** Seconds from the start of the process to its first `ready`. */
  readonly startSeconds: number
  /** The highest anonymous memory seen so far, in MiB. */
  readonly anonymousPeak: () => number
  readonly close: () => Promise<void>
}

/**
 * Starts a process of the line protocol and waits until it is ready. Throws with its last words when it ends before.
 */
export async function startPeer(command: string, args: readonly string[]): Promise<Peer> {
  const began = performance.now()
  const process = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const answers = createInterface({ input: process.stdout })[Symbol.asyncIterator]()
  let words = ''
  process.stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-2000)))
  const next = async (): Promise<Record<string, number>> => {
    const { done, value } = await answers.next()
    if (done) throw new Error(`${command} ended: ${words}`)
    return value.startsWith('{') ? (JSON.parse(value) as Record<string, number>) : next()
  }
  await next()
  const startSeconds = (performance.now() - began) / 1000
  const watch = watchAnonymous(process)
  return {
    ask(line) {
      process.stdin.write(`${line}\n`)
      return next()
    },
    startSeconds,
    anonymousPeak: watch.peak,
    async close() {
      watch.stop()
      process.stdin.end('quit\n')
      if (process.exitCode === null) await once(process, 'exit')
    },
  }
}

/** The kernel keeps the peak of all memory, not of the anonymous part, so that is looked at all the time. */
function watchAnonymous({ pid }: ChildProcess): { peak: () => number; stop: () => void } {
  let peak = 0
  const timer = setInterval(() => {
    try {
      peak = Math.max(peak, memory(pid).anonymous_mib)
    } catch {
      clearInterval(timer) // it has ended
    }
  }, 50)
  return { peak: () => peak, stop: () => clearInterval(timer) }
}
