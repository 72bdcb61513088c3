import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { ProblemError } from '#app/contract/errors.ts'

export type RunOptions = {
  readonly signal?: AbortSignal | undefined
  /** The program is killed when it has neither written nor taken anything for so long. */
  readonly idleMs: number
  /** The same once it has worked for so long in all; the time that its consumer takes does not count. */
  readonly limitMs?: number
  /** Each line of what it says of errors, as it comes. */
  readonly onSaid?: (line: string) => void
  /** What is written to its standard input. */
  readonly input?: Iterable<Uint8Array>
}

/** A program that ended with another status than 0; `stderr` is the end of what it said. */
export class ProgramFailed extends Error {
  readonly stderr: string
  /** It was ended, because it showed no sign of work or took too long in all. */
  readonly tookLong: boolean
  constructor(program: string, status: string, stderr: string, tookLong = false) {
    super(`${program} ended with ${status}: ${stderr}`)
    this.name = 'ProgramFailed'
    this.stderr = stderr
    this.tookLong = tookLong
  }
}

/**
 * Runs a program without a shell and yields its standard output in pieces; the consumer's pace holds it back. Leaving
 * the loop kills it.
 * Throws ProgramFailed for a status that is not 0, and `cancelled` once the signal is aborted.
 */
export async function* runProgram(
  program: string,
  args: readonly string[],
  { signal, idleMs, limitMs = Infinity, onSaid, input }: RunOptions,
): AsyncGenerator<Buffer> {
  if (signal?.aborted) throw new ProblemError('cancelled', 'cancelled')
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
  const stop = () => child.kill('SIGKILL')
  const state: { stopped?: string } = {}
  let worked = 0
  let since = 0
  const patience = (): NodeJS.Timeout => {
    since = Date.now()
    const left = limitMs - worked
    const why = left < idleMs ? `not done after ${limitMs / 1000} s` : `no progress in ${idleMs / 1000} s`
    return setTimeout(
      () => {
        state.stopped = why
        stop()
      },
      Math.max(0, Math.min(idleMs, left)),
    )
  }
  let timer = patience()
  signal?.addEventListener('abort', stop)
  let stderr = ''
  let begun = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-8192)
    const lines = (begun + text).split('\n')
    begun = lines.pop()!.slice(-8192)
    if (onSaid) lines.forEach(onSaid)
  })
  const closed = new Promise<string>((done, fail) => {
    child.on('error', fail)
    child.on('close', (code, killedBy) => done(code === 0 ? 'ok' : `status ${code ?? killedBy}`))
  })
  closed.catch(() => {}) // awaited below, but it may fail before that
  const fed = feed(child.stdin, input ?? [], () => timer.refresh())
  try {
    for await (const piece of child.stdout as AsyncIterable<Buffer>) {
      clearTimeout(timer) // the consumer may take its time
      worked += Date.now() - since
      yield piece
      timer = patience()
    }
    const status = await closed
    await fed
    if (signal?.aborted) throw new ProblemError('cancelled', 'cancelled')
    if (state.stopped) throw new ProgramFailed(program, state.stopped, state.stopped, true)
    if (status !== 'ok') throw new ProgramFailed(program, status, stderr.trim())
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    if (child.exitCode === null) stop()
    await closed.catch(() => {})
  }
}

/** The whole standard output; more than `maxBytes` is an error. */
export async function outputOf(
  program: string,
  args: readonly string[],
  options: RunOptions,
  maxBytes = 1 << 20,
): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of runProgram(program, args, options)) {
    size += piece.length
    if (size > maxBytes) throw new Error(`${program} wrote more than ${maxBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

// A program that ends early closes its input; its status and stderr then say why, so the broken pipe itself is not
// reported.
async function feed(stdin: NodeJS.WritableStream, input: Iterable<Uint8Array>, progress: () => void): Promise<void> {
  const state = { broken: false }
  stdin.on('error', () => (state.broken = true))
  for (const piece of input) {
    if (state.broken) break
    if (!stdin.write(piece))
      await Promise.race([once(stdin, 'drain').catch(() => {}), once(stdin, 'close').catch(() => {})])
    progress()
  }
  stdin.end()
}
