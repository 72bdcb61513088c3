import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format } from 'node:util'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import { createSupervisor, type Supervisor } from '#main/engine/supervisor.ts'
import { appRoot, enginePath } from '#main/paths.ts'
import { createProgram, runProgram } from './program.ts'
import { runWith, type WithEngine } from './with-engine.ts'

export type Ran = { code: number | undefined; stdout: string; stderr: string }

export const prompt = 'a red circle moving left on a black background'

/** Runs a command line in this process: what it printed, and the exit code that it set. */
export async function runHere(withEngine: WithEngine, args: readonly string[]): Promise<Ran> {
  const ran = { stdout: '', stderr: '' }
  const collect = (stream: 'stdout' | 'stderr') => (text: string | Uint8Array) => {
    ran[stream] += String(text)
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(collect('stdout')),
    vi.spyOn(process.stderr, 'write').mockImplementation(collect('stderr')),
    vi
      .spyOn(console, 'log')
      .mockImplementation((...values: unknown[]) => void (ran.stdout += `${format(...values)}\n`)),
  ]
  try {
    process.exitCode = undefined
    await runProgram(createProgram(withEngine), args)
    return { code: Number(process.exitCode), ...ran }
  } finally {
    process.exitCode = undefined
    for (const spy of spies) spy.mockRestore()
  }
}

/** A command that needs an engine fails: for those that are to be refused before one starts. */
export const withoutEngine = runWith(() => {
  throw new Error('an engine was started')
})

/** The command line for a test file: one engine for all, and for each test a folder of its own in which it runs. */
export function useCli() {
  const home = process.cwd()
  let engine: Supervisor
  let cache = ''
  let folder = ''
  const environment = (): Record<string, string> => ({
    FRAMELOOM_DATA: join(folder, 'data'),
    HF_HOME: join(folder, 'hub'),
    TMPDIR: join(folder, 'tmp'),
  })
  beforeAll(() => {
    cache = mkdtempSync(join(tmpdir(), 'frameloom-cli-cache-'))
    engine = createSupervisor({
      enginePath: enginePath(),
      nodePath: process.execPath,
      cacheDir: cache,
      memoryBudgetBytes: 2 ** 30,
      threads: null,
      log: { info() {}, warn() {} },
    })
  })
  afterAll(async () => {
    await engine.close()
    rmSync(cache, { recursive: true })
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'frameloom-cli-'))
    for (const name of ['tmp', 'hub']) mkdirSync(join(folder, name))
    for (const [name, value] of Object.entries(environment())) vi.stubEnv(name, value)
    process.chdir(folder)
  })
  afterEach(() => {
    process.chdir(home)
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  /** As a user runs it: a process with an engine of its own. */
  function start(...args: string[]) {
    const child = spawn(process.execPath, [join(appRoot(), 'dist/node/cli.js'), ...args], { cwd: folder })
    const ran: Ran = { code: undefined, stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text))
    const done = new Promise<Ran>((resolve) => child.on('close', (code) => resolve({ ...ran, code: code ?? NaN })))
    return { child, ran, done }
  }
  const withSharedEngine = runWith(() => ({ ...engine, close: async () => {} }))
  const run = (...args: string[]): Promise<Ran> => runHere(withSharedEngine, args)
  const read = (name: string): Buffer => readFileSync(join(folder, name))
  return {
    /** Of the test that runs. */
    folder: (): string => folder,
    start,
    run,
    read,
    /** A short clip of the bundled model. */
    generate: (out: string, ...more: string[]): Promise<Ran> => run('generate', ...shortClip(out), ...more),
    /** The largest difference between two clips of one size, of 255. */
    farthest: async (a: string, b: string): Promise<number> => {
      const [one, other] = await Promise.all(
        [a, b].map((name) => sharp(read(name), { animated: true }).raw().toBuffer()),
      )
      expect(one!.length).toBe(other!.length)
      return one!.reduce((most, value, i) => Math.max(most, Math.abs(value - other![i]!)), 0)
    },
  }
}

export const shortClip = (out: string): string[] => [
  ...['--prompt', prompt, '--out', out],
  ...['--steps', '2', '--frames', '2', '--seed', '5'],
]
