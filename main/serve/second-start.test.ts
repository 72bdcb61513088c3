import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { appRoot } from '#main/paths.ts'
import { openDoor } from '#main/studio/door.ts'
import { ask } from '#main/studio/testing.ts'

let dataDir: string
let started: ChildProcess[]
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'frameloom-second-'))
  started = []
})
afterEach(async () => {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await gone
  }
  rmSync(dataDir, { recursive: true })
})

/** The real serve host in a process of its own: the link that it prints, or all that it said before it ended. */
function serve() {
  const child = spawn(process.execPath, [join(appRoot(), 'dist/node/serve.js'), '--no-open', '--port', '0'], {
    env: { ...process.env, FRAMELOOM_DATA: dataDir, FRAMELOOM_ENGINE: join(appRoot(), 'dist/test/engine.js') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  let said = ''
  const ended = new Promise<{ code: number | null; said: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, said }))
  })
  const link = new Promise<URL>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
        const found = /http:\/\/\S+token=\S+(?=\n)/.exec(said)
        if (found) resolve(new URL(found[0]))
      })
    void ended.then(() => reject(new Error(said)))
  })
  link.catch(() => {})
  return { child, link, ended }
}
const follow = (link: URL) => ask(Number(link.port), link.pathname + link.search)

test('a second start opens the studio that runs, with a link of its own', async () => {
  const first = serve()
  const link = await first.link
  const second = serve()
  expect(await second.ended).toEqual({
    code: 0,
    said: expect.stringMatching(/^Frameloom runs already .*Open it in your browser \(good once\): http:/) as string,
  })
  const fresh = await second.link
  expect(fresh.origin).toBe(link.origin)
  expect(fresh.search).not.toBe(link.search)
  const [, value] = (await follow(fresh)).headers['set-cookie']![0]!.split(/[=;]/)
  expect((await follow(fresh)).status).toBe(403)
  // The session is that of the studio, so that a page which was open before stays so.
  const third = serve()
  await third.ended
  expect((await follow(await third.link)).headers['set-cookie']![0]).toContain(`=${value};`)
  expect(first.child.exitCode).toBe(null)
})

test('of several that start at once one runs, and all have a link to it', async () => {
  const all = [serve(), serve(), serve()]
  const links = await Promise.all(all.map(({ link }) => link))
  expect(new Set(links.map(({ origin }) => origin)).size).toBe(1)
  expect(new Set(links.map(({ search }) => search)).size).toBe(3)
  const ended = await Promise.race([
    Promise.all(all.map(({ ended }) => ended)).then(() => 'all ended'),
    new Promise((resolve) => {
      let n = 0
      for (const one of all) void one.ended.then(() => ++n === 2 && resolve('two ended'))
    }),
  ])
  expect(ended).toBe('two ended')
})

test('after a kill the next start runs the studio itself', async () => {
  const first = serve()
  const { origin } = await first.link
  first.child.kill('SIGKILL')
  await first.ended
  const second = serve()
  expect((await second.link).origin).not.toBe(origin)
  expect((await follow(await second.link)).status).toBe(303)
  expect(second.child.exitCode).toBe(null)
})

test('a folder that the window has is told of, and the window comes to the front', async () => {
  mkdirSync(join(dataDir, 'scratch'), { mode: 0o700 })
  let shown = 0
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const close = await openDoor(dataDir, log, () => {
    shown++
    return { kind: 'window' }
  })
  const { code, said } = await serve().ended
  expect(said).toMatch(
    /^Frameloom is open in its window with .*, which is in front now\. Use it, close it, or set FRAMELOOM_DATA/,
  )
  expect([code, shown]).toEqual([1, 1])
  close()
})

test.runIf(process.platform !== 'win32')('one that hangs is told of in words', async () => {
  const first = serve()
  await first.link
  first.child.kill('SIGSTOP')
  const { code, said } = await serve().ended
  expect(said).toMatch(/^Frameloom runs already with .*, and does not answer\. End it, or set FRAMELOOM_DATA/)
  expect(code).toBe(1)
})
