import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { toProblem } from '#app/contract/errors.ts'
import type { EngineStatus } from '#app/contract/system.ts'
import { appRoot } from '#main/paths.ts'
import { createSupervisor, type Supervisor, type SupervisorOptions } from './supervisor.ts'

const enginePath = join(appRoot(), 'dist/node/engine.js')

let supervisor: Supervisor
afterEach(() => supervisor.close())

/** Milliseconds: longer than any test may take. */
const never = 600_000
const lines: string[] = []
const log = {
  info: (_fields: object, message: string) => void lines.push(message),
  warn: (_fields: object, message: string) => void lines.push(message),
}
const start = (fault?: string, more: Partial<SupervisorOptions> = {}): Supervisor => {
  supervisor = createSupervisor({
    enginePath,
    nodePath: process.execPath,
    memoryBudgetBytes: 2 ** 30,
    threads: null,
    log,
    env: { FRAMELOOM_FAULT: fault },
    ...more,
  })
  return supervisor
}

const untilStatus = (test: (status: EngineStatus) => boolean): Promise<EngineStatus> =>
  new Promise((resolve) => {
    const off = supervisor.onStatus((status) => {
      if (!test(status)) return
      off()
      resolve(status)
    })
    if (test(supervisor.status())) {
      off()
      resolve(supervisor.status())
    }
  })
/** Ready, and done with what the supervisor itself asks first. */
const idle = async (): Promise<EngineStatus> => {
  await supervisor.call('inspect', { path: 'nowhere' }).catch(() => undefined)
  return ready()
}
const ready = () => untilStatus((status) => status.state === 'ready')

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const doctor = (signal?: AbortSignal, onCancelling?: () => void) =>
  supervisor.call('doctor', { full: false }, { ...(signal && { signal }), ...(onCancelling && { onCancelling }) })
const scan = () => supervisor.call('scanModels', { roots: [] })

describe('calls', () => {
  test('are answered, and the status tells what the engine holds', async () => {
    start()
    expect((await doctor()).checks.length).toBeGreaterThan(0)
    const status = await untilStatus(({ memory }) => memory.residentBytes > 0)
    expect(status).toMatchObject({ state: 'ready', recentCrashes: 0, memory: { budgetBytes: 2 ** 30 } })
    expect(status.memory.anonymousBytes).toBeGreaterThan(0)
    expect(isAlive(status.pid!)).toBe(true)
  })

  test('one that fails rejects with its problem, and the engine goes on', async () => {
    start('throw:doctor')
    await expect(doctor()).rejects.toMatchObject({
      problem: { code: 'internal', message: expect.stringMatching(/doctor/) },
    })
    await expect(scan()).resolves.toEqual({ models: [] })
  })
})

describe('cancel', () => {
  // An idle engine takes messages in order: a call that was made is running when its cancel comes.
  test('is acknowledged while the worker is blocked', async () => {
    start('sleep:doctor', { cancelGraceMs: never })
    await idle()
    const abort = new AbortController()
    const acknowledged = new Promise<void>((resolve) => {
      doctor(abort.signal, resolve).catch(() => undefined)
    })
    abort.abort()
    await acknowledged // by whom, if not by the thread that is not blocked: the other one never is free again
  })

  test('ends the call when the worker unblocks, in the same engine', async () => {
    start('sleep:doctor:0:100', { cancelGraceMs: never })
    const { pid } = await idle()
    const abort = new AbortController()
    const order: string[] = []
    const call = doctor(abort.signal, () => order.push('acknowledged'))
    abort.abort()
    await expect(call).rejects.toMatchObject({ problem: { code: 'cancelled' } })
    expect(order).toEqual(['acknowledged'])
    await expect(scan()).resolves.toEqual({ models: [] })
    expect(supervisor.status()).toMatchObject({ state: 'ready', recentCrashes: 0, pid })
  })

  test('ends an engine that does not stop, without counting a crash, and waiting calls run in the next one', async () => {
    start('sleep:doctor', { cancelGraceMs: 100 })
    const { pid } = await idle()
    const abort = new AbortController()
    const call = doctor(abort.signal)
    const waiting = scan()
    abort.abort()
    await expect(call).rejects.toMatchObject({ problem: { code: 'cancelled' } })
    await expect(waiting).resolves.toEqual({ models: [] })
    expect(supervisor.status()).toMatchObject({ state: 'ready', recentCrashes: 0 })
    expect(supervisor.status().pid).not.toBe(pid)
    expect(isAlive(pid!)).toBe(false)
  })

  test('takes a waiting call out before it starts', async () => {
    start('sleep:doctor,kill:scanModels', { cancelGraceMs: 100 })
    await idle()
    const [first, second] = [new AbortController(), new AbortController()]
    const running = doctor(first.signal)
    const waiting = supervisor.call('scanModels', { roots: [] }, { signal: second.signal })
    second.abort()
    // While the one before it still runs, which it does without end.
    await expect(waiting).rejects.toMatchObject({ problem: { code: 'cancelled' } })
    first.abort()
    await expect(running).rejects.toMatchObject({ problem: { code: 'cancelled' } })
    await idle()
    expect(supervisor.status()).toMatchObject({ state: 'ready', recentCrashes: 0 })
  })

  test('works before the engine is up', async () => {
    start()
    const abort = new AbortController()
    const call = doctor(abort.signal)
    abort.abort()
    await expect(call).rejects.toMatchObject({ problem: { code: 'cancelled' } })
  })
})

describe('a crash', () => {
  test('by SIGKILL rejects the running call, spares the waiting one, and the next engine takes over', async () => {
    start('sleep:doctor')
    const { pid } = await idle()
    const running = doctor()
    const waiting = scan()
    process.kill(pid!, 'SIGKILL')
    await expect(running).rejects.toMatchObject({
      problem: { code: 'engine-lost', message: expect.stringMatching(/SIGKILL.*memory/) },
    })
    await expect(waiting).resolves.toEqual({ models: [] })
    expect(supervisor.status()).toMatchObject({ state: 'ready', recentCrashes: 1 })
  })

  test.each(['abort', 'exit'])('of the kind "%s" is told apart from an answer', async (kind) => {
    start(`${kind}:doctor,sleep:doctor`)
    await expect(doctor()).rejects.toMatchObject({ problem: { code: 'engine-lost' } })
    await expect(scan()).resolves.toEqual({ models: [] })
  })

  test("carries the engine's last words", async () => {
    start('crash:scanModels')
    // The error is thrown beside the call, as from a forgotten promise: before or after its answer.
    await scan().catch(() => undefined)
    const { problem } = await untilStatus((status) => status.problem !== undefined)
    expect(problem?.message).toMatch(/Crash on purpose at scanModels/)
    expect(lines.join('\n')).toMatch(/Crash on purpose/)
  })

  test('the third within five minutes stops it; restart() starts again', async () => {
    start('kill:doctor')
    for (const _ of [1, 2]) await expect(doctor()).rejects.toMatchObject({ problem: { code: 'engine-lost' } })
    const third = doctor()
    const waiting = scan()
    await expect(third).rejects.toMatchObject({ problem: { message: expect.stringMatching(/third time/) } })
    await expect(waiting).rejects.toMatchObject({ problem: { code: 'engine-lost' } })
    expect(supervisor.status()).toMatchObject({ state: 'stopped', recentCrashes: 3, problem: { code: 'engine-lost' } })
    await expect(scan()).rejects.toMatchObject({
      problem: { code: 'engine-lost', message: expect.stringMatching(/^The engine is off.*third time/) },
    })
    supervisor.restart()
    await expect(scan()).resolves.toEqual({ models: [] })
    expect(supervisor.status()).toMatchObject({ state: 'ready', recentCrashes: 0 })
  })

  test('at each start stops it as well', async () => {
    start('kill:start')
    await expect(scan()).rejects.toMatchObject({ problem: { code: 'engine-lost' } })
    expect(supervisor.status().state).toBe('stopped')
  })

  test('a missing bundle or Node binary is said at once', async () => {
    start(undefined, { enginePath: join(appRoot(), 'none.js') })
    await expect(scan()).rejects.toMatchObject({ problem: { message: expect.stringMatching(/not built.*none\.js/) } })
    await supervisor.close()
    start(undefined, { nodePath: join(appRoot(), 'no-node') })
    await expect(scan()).rejects.toMatchObject({
      problem: { message: expect.stringMatching(/could not be started with .*no-node: there is no such file\./) },
    })
  })

  test.runIf(process.platform !== 'win32')('a Node that may not be run is said in words, a folder too', async () => {
    for (const nodePath of [join(appRoot(), 'LICENSE'), appRoot()]) {
      start(undefined, { nodePath })
      const problem = await scan().catch((error: unknown) => toProblem(error))
      expect(problem).toMatchObject({ code: 'engine-lost' })
      expect(problem).toHaveProperty('message', expect.stringMatching(/could not be started with .*may be run/))
      expect(problem).toHaveProperty('message', expect.not.stringMatching(/null/))
      await supervisor.close()
    }
  })
})

test('an engine that hangs is ended and counted', async () => {
  start('sleep:ping', { times: { heartbeat: 50, missedHeartbeats: 5, start: 300_000 } })
  const { problem } = await untilStatus((status) => status.recentCrashes > 0)
  expect(problem).toMatchObject({ code: 'engine-lost', message: expect.stringMatching(/no longer answered/) })
})

test('controls can be changed by key only while the call is under way', async () => {
  start('sleep:doctor:0:300')
  const call = supervisor.call('doctor', { full: false }, { key: 'job' })
  expect(() => supervisor.setControls('job', { freeu: { s1: 1, s2: 1, b1: 1, b2: 1 } })).not.toThrow()
  expect(() => supervisor.setControls('other', { freeu: null })).toThrow(/not running/)
  await call
  expect(() => supervisor.setControls('job', { freeu: null })).toThrow(/not running/)
})

test('nothing is written outside of our own folders, and no onnxruntime reports home', async () => {
  const place = mkdtempSync(join(tmpdir(), 'frameloom-quiet-'))
  start(undefined, { env: { TMPDIR: place, HOME: place, XDG_CACHE_HOME: place } })
  const { checks } = await doctor()
  expect(checks).toContainEqual(expect.objectContaining({ name: 'Provider cpu', state: 'ok' }))
  expect(readdirSync(place)).toEqual([])
  rmSync(place, { recursive: true })
})

test('close ends the process', async () => {
  start('sleep:doctor')
  const { pid } = await ready()
  const call = doctor()
  const rejected = expect(call).rejects.toMatchObject({ problem: { message: expect.stringMatching(/closing/) } })
  await supervisor.close()
  await rejected
  expect(isAlive(pid!)).toBe(false)
})

test.skipIf(process.platform === 'win32')(
  'the engine ends when its host is killed, also in the middle of a call',
  async () => {
    start()
    const folder = mkdtempSync(join(tmpdir(), 'frameloom-host-'))
    const host = join(folder, 'host.mjs')
    writeFileSync(
      host,
      `import { fork } from 'node:child_process'
    const child = fork(${JSON.stringify(enginePath)}, { serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'] })
    child.on('message', ({ type }) => {
      if (type === 'cancelling') console.log(child.pid) // of the call that is under way
      if (type !== 'ready') return
      child.send({ type: 'call', id: 1, method: 'doctor', request: { full: false } })
      child.send({ type: 'cancel', id: 1 })
    })`,
    )
    const parent = spawn(process.execPath, [host], { env: { ...process.env, FRAMELOOM_FAULT: 'sleep:doctor' } })
    const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)))
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    // A killed process may stay as a zombie where nothing reaps it: its state is then Z.
    const isGone = async () =>
      !isAlive(pid) ||
      (await new Promise<boolean>((resolve) =>
        execFile('ps', ['-o', 'stat=', '-p', String(pid)], (_, out) => resolve(/^Z|^$/.test(out))),
      ))
    await vi.waitUntil(isGone, { timeout: never })
    rmSync(folder, { recursive: true })
  },
)

test('output that never ends a line is taken in pieces, its last words among them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'frameloom-chatty-'))
  const chatty = join(folder, 'engine.mjs')
  writeFileSync(chatty, "process.stdout.write('x'.repeat(2_000_000) + 'the end', () => process.exit(3))")
  lines.length = 0
  start(undefined, { enginePath: chatty })
  const { problem } = await untilStatus(({ state }) => state === 'stopped')
  expect(problem?.message).toMatch(/exit code 3.*the end$/s)
  const pieces = lines.filter((line) => line.startsWith('x'))
  expect(pieces.join('').match(/x/g)).toHaveLength(6_000_000)
  // A piece may be longer by what the pipe gives at once.
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(16_384 + 65_536)
  rmSync(folder, { recursive: true })
})
