import { fork } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { FromEngine, ToEngine } from '#app/contract/engine.ts'
import { ffmpegPath, resourcesDir } from '#main/paths.ts'
import type { EngineEnd } from './describe-end.ts'

/** What the supervisor needs of a log; pino has it. */
export type Log = { info(fields: object, message: string): void; warn(fields: object, message: string): void }

export type EngineProcess = {
  readonly pid: number | undefined
  send(message: ToEngine): void
  /** Ends it at once, on purpose: `onEnd` then reports `expected`. */
  end(): void
}

/** Milliseconds. */
export type EngineTimes = {
  /** Between two heartbeats. */
  heartbeat: number
  /** Heartbeats without an answer before it counts as hung. */
  missedHeartbeats: number
  /** Until `ready`. */
  start: number
}
export const engineTimes: EngineTimes = { heartbeat: 1000, missedHeartbeats: 10, start: 30_000 }

const keptLines = 20
/** A line that does not end is taken in pieces of this many characters. */
const longestLine = 16_384

/**
 * One engine process from its start to its end, which is reported exactly once. Its output goes to the log line by
 * line.
 */
export function startEngineProcess(
  {
    enginePath,
    nodePath,
    env = {},
    log,
    times = engineTimes,
  }: {
    enginePath: string
    nodePath: string
    env?: NodeJS.ProcessEnv
    log: Log
    times?: EngineTimes
  },
  { onMessage, onEnd }: { onMessage: (message: FromEngine) => void; onEnd: (end: EngineEnd) => void },
): EngineProcess {
  const end: EngineEnd = { code: null, signal: null, lastLines: [], cause: 'itself' }
  const { ELECTRON_RUN_AS_NODE: _, ...inherited } = process.env
  const child = fork(enginePath, [], {
    execPath: nodePath,
    execArgv: [], // not the host's: an inspector's port can be taken once only
    env: { ...inherited, FRAMELOOM_RESOURCES: resourcesDir(), FRAMELOOM_FFMPEG: ffmpegPath(), ...env },
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })

  for (const [name, stream] of [
    ['stdout', child.stdout],
    ['stderr', child.stderr],
  ] as const) {
    if (!stream) continue
    onLines(stream, (line) => {
      log.info({ engine: child.pid, stream: name }, line)
      end.lastLines.push(line)
      if (end.lastLines.length > keptLines) end.lastLines.shift()
    })
  }

  const kill = (cause: EngineEnd['cause']): void => {
    if (end.cause === 'itself') end.cause = cause
    child.kill('SIGKILL')
  }

  // Counted in beats, not by the clock: after the machine slept, a clock would blame the engine for the night.
  let missed = 0
  let beat = 0
  const heartbeat = setInterval(() => {
    if (missed++ >= times.missedHeartbeats) kill('hung')
    else send({ type: 'ping', id: beat++ })
  }, times.heartbeat)
  const startTimer = setTimeout(() => kill('start-too-slow'), times.start)

  let ended = false
  const finish = (): void => {
    if (ended) return
    ended = true
    clearInterval(heartbeat)
    clearTimeout(startTimer)
    onEnd(end)
  }

  const send = (message: ToEngine): void => {
    // A send that fails means that the process is ending: its end is reported by 'close'.
    if (child.connected) child.send(message, () => {})
  }

  child.on('message', (message: FromEngine) => {
    missed = 0
    if (message.type === 'pong') return
    if (message.type === 'ready') clearTimeout(startTimer)
    if (!ended) onMessage(message)
  })
  child.on('error', (error) => {
    log.warn({ engine: child.pid, error: error.message }, 'engine process error')
    if (child.pid !== undefined) return
    end.cause = 'not-started' // so there will be no 'close'
    end.lastLines.push(error.message)
    finish()
  })
  // 'close' comes after the output was read to its end, so the last words are known; a grandchild may hold the pipes
  // open.
  child.on('exit', (code, signal) => {
    Object.assign(end, { code, signal })
    setTimeout(finish, 200)
  })
  child.on('close', finish)

  return { pid: child.pid, send, end: () => kill('expected') }
}

function onLines(stream: Readable, tell: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) tell(line)
    if (rest.length < longestLine) return
    tell(rest)
    rest = ''
  })
  stream.on('end', () => {
    if (rest) tell(rest)
  })
}
