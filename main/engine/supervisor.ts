import { existsSync } from 'node:fs'
import type { EngineCalls, EngineMethod, FromEngine, ToEngine } from '#app/contract/engine.ts'
import { ProblemError, type Problem } from '#app/contract/errors.ts'
import type { LiveControls } from '#app/contract/settings.ts'
import type { EngineStatus } from '#app/contract/system.ts'
import { createCrashLimit } from './crash-limit.ts'
import { engineProblem, type EngineEnd } from './describe-end.ts'
import { startEngineProcess, type EngineProcess, type EngineTimes, type Log } from './engine-process.ts'

export type CallOptions<M extends EngineMethod> = {
  onEvent?(event: EngineCalls[M]['event']): void
  /** Cancels: the call then rejects with a ProblemError 'cancelled', in a few seconds at most. */
  signal?: AbortSignal
  /** The engine heard the cancel, `ms` after it was asked. */
  onCancelling?(ms: number): void
  /** A name to change the call's controls by. */
  key?: string
}

export type SupervisorOptions = {
  enginePath: string
  /** A plain Node binary. */
  nodePath: string
  /** What the engine's sessions may hold. */
  memoryBudgetBytes: number
  /** Null: as many as were measured to be of use. */
  threads: number | null
  log: Log
  /**
   * Where the engine may keep what only saves time, such as hashes of weight files. Without it nothing outlives the
   * process.
   */
  cacheDir?: string
  /** Variables for the engine beside the inherited ones. */
  env?: NodeJS.ProcessEnv
  /** Milliseconds that a call may go on after its cancel before the engine is ended. */
  cancelGraceMs?: number
  times?: EngineTimes
}

export type Supervisor = ReturnType<typeof createSupervisor>

type Pending = {
  readonly message: Extract<ToEngine, { type: 'call' }>
  readonly options: CallOptions<EngineMethod>
  readonly resolve: (result: never) => void
  readonly reject: (error: ProblemError) => void
  readonly onAbort: () => void
  sent: boolean
  controls?: LiveControls
  cancelledAt?: number
  graceTimer?: NodeJS.Timeout
}

const asError = (problem: Problem): ProblemError => new ProblemError(problem.code, problem.message, problem)
const cancelled: Problem = { code: 'cancelled', message: 'Cancelled.' }
/** For calls to an engine that was given up. */
const off = (problem: Problem): Problem => ({
  ...problem,
  message: `The engine is off, so nothing can run. Restart it ("Restart the engine"). Why it is off: ${problem.message}`,
})
const nothingLoaded = { sessions: [], bytesMapped: 0, compilations: 0 }

/** Starts the engine process, keeps it alive, and makes calls to it, which it runs one after the other. */
export function createSupervisor(options: SupervisorOptions) {
  const { log, cancelGraceMs = 4000 } = options
  const crashes = createCrashLimit()
  const listeners = new Set<(status: EngineStatus) => void>()
  /** Calls without an answer, in the order in which the engine runs them. */
  const pending = new Map<number, Pending>()
  let configuration: EngineCalls['configure']['request'] = {
    memoryBudgetBytes: options.memoryBudgetBytes,
    threads: options.threads,
  }
  let nextId = 1
  let engine: EngineProcess | undefined
  let closed: { whenEnded(): void } | undefined
  let startedAt = 0
  let status: EngineStatus = {
    state: 'starting',
    recentCrashes: 0,
    provider: 'cpu',
    providers: ['cpu'],
    refusals: [],
    memory: { budgetBytes: options.memoryBudgetBytes, usedBytes: 0, residentBytes: 0, anonymousBytes: 0 },
    ...nothingLoaded,
  }

  const setStatus = (change: Partial<EngineStatus>, gone: readonly ('pid' | 'problem')[] = []): void => {
    status = { ...status, ...change, recentCrashes: crashes.recent() }
    for (const key of gone) delete status[key]
    for (const listener of listeners) listener(status)
  }

  const take = (id: number): Pending | undefined => {
    const call = pending.get(id)
    if (call) {
      clearTimeout(call.graceTimer)
      call.options.signal?.removeEventListener('abort', call.onAbort)
    }
    pending.delete(id)
    return call
  }

  const rejectAll = (problem: Problem): void => {
    for (const [id, call] of pending) {
      take(id)
      call.reject(asError(call.cancelledAt === undefined ? problem : cancelled))
    }
  }

  const stop = (problem: Problem): void => {
    log.warn({ problem }, 'engine stopped')
    setStatus({ state: 'stopped', problem, ...nothingLoaded }, ['pid'])
    rejectAll(problem)
  }

  const sendCall = (call: Pending): void => {
    call.sent = true
    engine?.send(call.message)
    if (call.controls) engine?.send({ type: 'controls', id: call.message.id, controls: call.controls })
  }

  const spawn = (state: 'starting' | 'restarting'): void => {
    if (!existsSync(options.enginePath)) {
      const message = `The engine is not built: ${options.enginePath} does not exist. Run \`npm start\` once, which builds it.`
      return stop({ code: 'engine-lost', message, file: options.enginePath })
    }
    startedAt = performance.now()
    const env = options.cacheDir === undefined ? options.env : { FRAMELOOM_CACHE: options.cacheDir, ...options.env }
    const started = startEngineProcess(
      { ...options, env: env ?? {} },
      {
        onMessage: (message) => engine === started && hear(message),
        onEnd: (end) => engine === started && ended(end),
      },
    )
    engine = started
    setStatus({ state, ...nothingLoaded, ...(started.pid === undefined ? {} : { pid: started.pid }) })
  }

  const hear = (message: FromEngine): void => {
    switch (message.type) {
      case 'ready': {
        const ms = Math.round(performance.now() - startedAt)
        log.info({ engine: message.pid, ms }, 'engine ready')
        setStatus({ state: 'ready', pid: message.pid }, ['problem'])
        // Ids of calls begin at 1: nobody waits for this one's answer.
        engine?.send({ type: 'call', id: 0, method: 'configure', request: configuration })
        for (const call of pending.values()) sendCall(call)
        return
      }
      case 'status':
        return setStatus(message.status)
      case 'event':
        return pending.get(message.id)?.options.onEvent?.(message.event)
      case 'cancelling': {
        const call = pending.get(message.id)
        return call?.options.onCancelling?.(performance.now() - (call.cancelledAt ?? NaN))
      }
      case 'result':
        return take(message.id)?.resolve(message.result as never)
      case 'failed':
        return take(message.id)?.reject(asError(message.problem))
      case 'pong':
        return
    }
  }

  const ended = (end: EngineEnd): void => {
    engine = undefined
    if (closed) return closed.whenEnded()
    if (end.cause !== 'expected') {
      const tooMany = crashes.add()
      const running = [...pending.values()].find((call) => call.sent)
      const problem = engineProblem(end, tooMany ? 'That was the third time within five minutes: it stays off.' : '')
      log.warn({ ...end, recentCrashes: crashes.recent() }, 'engine process ended')
      if (running) take(running.message.id)?.reject(asError(running.cancelledAt === undefined ? problem : cancelled))
      if (tooMany) return stop(problem)
      setStatus({ state: 'restarting', problem }, ['pid'])
    }
    for (const [id, call] of pending) {
      call.sent = false
      if (call.cancelledAt !== undefined) take(id)?.reject(asError(cancelled))
    }
    spawn('restarting')
  }

  const cancel = (id: number): void => {
    const call = pending.get(id)
    if (!call || call.cancelledAt !== undefined) return
    call.cancelledAt = performance.now()
    if (!call.sent) return take(id)?.reject(asError(cancelled))
    engine?.send({ type: 'cancel', id })
    call.graceTimer = setTimeout(() => {
      // A model call cannot be broken off. Weights are mapped, so a new process costs little.
      log.info({ engine: engine?.pid, method: call.message.method }, 'engine ended to stop a cancelled call')
      take(id)?.reject(asError(cancelled))
      setStatus({ state: 'restarting' }, ['pid'])
      engine?.end()
    }, cancelGraceMs)
  }

  const supervisor = {
    /** Resolves with the call's result. Rejects with a ProblemError: 'engine-lost' if the engine died while it ran. */
    call<M extends EngineMethod>(
      method: M,
      request: EngineCalls[M]['request'],
      callOptions: CallOptions<M> = {},
    ): Promise<EngineCalls[M]['result']> {
      if (method === 'configure') configuration = request as typeof configuration
      if (closed) return Promise.reject(new ProblemError('engine-lost', 'Frameloom is closing.'))
      if (status.state === 'stopped' && status.problem) return Promise.reject(asError(off(status.problem)))
      if (callOptions.signal?.aborted) return Promise.reject(asError(cancelled))
      return new Promise((resolve, reject) => {
        const id = nextId++
        const message = { type: 'call', id, method, request } as Pending['message']
        const onAbort = (): void => cancel(id)
        const call: Pending = { message, options: callOptions, resolve, reject, onAbort, sent: false }
        pending.set(id, call)
        callOptions.signal?.addEventListener('abort', onAbort, { once: true })
        if (status.state === 'ready') sendCall(call)
      })
    },
    /**
     * Controls of the call with this key, in force from its next step on; what is left out stays as it is. Throws
     * 'not-found' when no such call is under way.
     */
    setControls(key: string, change: LiveControls): void {
      const call = [...pending.values()].find((call) => call.options.key === key)
      if (!call) throw new ProblemError('not-found', 'That job is not running.')
      call.controls = { ...call.controls, ...change }
      if (call.sent) engine?.send({ type: 'controls', id: call.message.id, controls: call.controls })
    },
    status: (): EngineStatus => status,
    /** Calls `listener` at each change; returns the way to end that. */
    onStatus(listener: (status: EngineStatus) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    /** A fresh engine, also after too many crashes; what runs is given up. */
    restart(): void {
      if (closed) return
      crashes.reset()
      const running = [...pending.values()].find((call) => call.sent)
      const problem: Problem = { code: 'engine-lost', message: 'The engine was restarted while this ran.' }
      if (running) take(running.message.id)?.reject(asError(problem))
      if (!engine) return spawn('restarting')
      setStatus({ state: 'restarting' }, ['pid', 'problem'])
      engine.end()
    },
    /** Ends the engine; resolves when its process is gone. */
    async close(): Promise<void> {
      if (closed) return
      const gone = new Promise<void>((resolve) => (closed = { whenEnded: resolve }))
      rejectAll({ code: 'engine-lost', message: 'Frameloom is closing.' })
      if (!engine) return
      engine.end()
      await gone
    },
  }
  spawn('starting')
  return supervisor
}
