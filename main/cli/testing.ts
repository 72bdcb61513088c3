import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { buildForTest, engineInput } from '#main/engine/testing.ts'

export type Ran = { code: number | null; stdout: string; stderr: string }

export const prompt = 'a red circle moving left on a black background'

/** The command line for a test file: built once, and for each test a folder of its own in which it runs. */
export function useCli() {
  let built: Awaited<ReturnType<typeof buildForTest>>
  let folder = ''
  beforeAll(async () => {
    built = await buildForTest({ ...engineInput, cli: 'main/cli/main.ts' })
  }, 120_000)
  afterAll(() => built.remove())
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'frameloom-cli-'))
    mkdirSync(join(folder, 'tmp'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function start(...args: string[]) {
    const child = spawn(process.execPath, [join(built.folder, 'cli.js'), ...args], {
      cwd: folder,
      env: {
        ...process.env,
        FRAMELOOM_ENGINE: join(built.folder, 'engine.js'),
        FRAMELOOM_DATA: join(folder, 'data'),
        HF_HOME: join(folder, 'hub'),
        TMPDIR: join(folder, 'tmp'),
      },
    })
    const ran: Ran = { code: null, stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text))
    const done = new Promise<Ran>((resolve) => child.on('close', (code) => resolve({ ...ran, code })))
    return { child, ran, done }
  }
  const run = (...args: string[]): Promise<Ran> => start(...args).done
  const read = (name: string): Buffer => readFileSync(join(folder, name))
  return {
    /** Of the test that runs. */
    folder: (): string => folder,
    start,
    run,
    read,
    /** A short clip of the bundled model. */
    generate: (out: string, ...more: string[]): Promise<Ran> =>
      run('generate', '--prompt', prompt, '--out', out, '--steps', '3', '--frames', '4', '--seed', '5', ...more),
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
