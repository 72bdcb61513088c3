import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { testSettings } from '#app/library/test-results.ts'
import { appRoot } from '#main/paths.ts'
import { ask, connect, snapshotOf, type Page } from '#main/studio/testing.ts'

let folder: string
const running: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'frameloom-killed-'))
})
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const data = (...names: string[]): string => join(folder, 'data', ...names)

/** A host as a process of its own, with the tests' engine; `shell`: what limits it. */
function serve(shell = 'true') {
  const args = [join(import.meta.dirname, 'test-host.ts'), data(), folder, join(appRoot(), 'dist/test/engine.js')]
  const child = spawn('bash', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => said.push(line))
  const ended = once(child, 'close')
  void ended.then(() => said.push('(it ended)'))
  const enter = async (): Promise<Page> => {
    const isOpen = (): RegExpExecArray | undefined =>
      said.map((line) => /http:\/\/127\.0\.0\.1:(\d+)(\/\?token=\S+)/.exec(line)).find((match) => match !== null)
    await vi.waitUntil(() => isOpen() ?? said.at(-1) === '(it ended)', { timeout: 300_000 })
    const [, port = '', path = ''] = isOpen() ?? expect.fail(said.join('\n'))
    const { headers } = await ask(Number(port), path)
    const page = await connect(Number(port), headers['set-cookie']?.[0]?.split(';')[0] ?? '')
    await page.until(() => page.events.some((event) => 'models' in event && event.models.length > 0))
    return page
  }
  return { child, said, ended, enter }
}
const make = (page: Page, prompt: string) =>
  page.client.run({ pipeline: 'text-to-video', settings: { ...testSettings, prompt } })

test.runIf(process.platform !== 'win32')(
  'killed when a clip was just written: it is there, and no job misses it',
  async () => {
    const first = serve()
    const page = await first.enter()
    const { jobId } = await make(page, 'linger')
    await vi.waitUntil(() => readdirSync(data('clips')).some((name) => name.endsWith('.webp')), { timeout: 300_000 })
    const resultId = page.jobs.get(jobId)?.resultId
    first.child.kill('SIGKILL')
    await first.ended
    await page.close()
    const again = await serve().enter()
    expect(snapshotOf(again)).toMatchObject({ jobs: [], results: [{ id: resultId, title: 'linger' }] })
    await again.close()
  },
)

test.runIf(process.platform === 'linux')(
  'no file can grow: it starts, says so, refuses jobs in words, and deletes',
  async () => {
    const first = serve()
    const before = await first.enter()
    const { jobId } = await make(before, 'a star')
    const { resultId } = await before.untilJob(jobId, 'done')
    await before.close()
    first.child.kill('SIGTERM')
    await first.ended

    const limited = serve('ulimit -f 0')
    const page = await limited.enter()
    expect(snapshotOf(page).results.map(({ id }) => id)).toEqual([resultId])
    // The row of the job that is done could not be removed.
    expect(snapshotOf(page).notices?.join()).toMatch(/cannot be written: the disk (is full|reported an error)/)
    await expect(make(page, 'one more')).rejects.toMatchObject({ data: { code: 'disk' } })
    await page.client.deleteResult({ id: resultId! })
    await page.until(() => page.events.some((event) => event.type === 'result-removed'))
    expect(readdirSync(data('clips'))).toEqual([])
    await page.close()
    expect(limited.child.exitCode).toBeNull()
  },
)

test('a data folder that cannot be used is told with what to do', async () => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(data(), 'a file')
  const { said, ended, child } = serve()
  await ended
  expect(child.exitCode).toBe(1)
  expect(said.filter((line) => line.startsWith('The data folder'))).toEqual([
    `The data folder ${data()} cannot be made: there is a file of that name. Set FRAMELOOM_DATA to a folder that you can write, or change this one's permissions.`,
  ])
})
