import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { hostileNames } from '#app/library/test-hostile-names.ts'
import { ask, connect, createTestHost, hostileMessages, type TestHost } from '#main/studio/testing.ts'
import type { Served } from './serve.ts'

let host: TestHost
let served: Served
let cookie: string
beforeAll(async () => {
  host = createTestHost()
  served = await host.start()
})
afterAll(() => host.close())

const own = () => ({ host: `127.0.0.1:${served.port}`, cookie })
const launchPath = () => served.url.slice(served.url.indexOf('/?'))

describe('the way in', () => {
  test('one line with the link is printed, for the address that is bound', () => {
    expect(host.printed).toEqual([`Open Frameloom in your browser (link good once): ${served.url}`])
    expect(served.address).toBe('127.0.0.1')
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/)
  })

  test('without the cookie nothing is given but words', async () => {
    const page = await ask(served.port, '/', { headers: { accept: 'text/html' } })
    expect(page.status).toBe(403)
    expect(page.text).toMatch(/has not been let in.*press Enter in the terminal/)
    for (const path of ['/assets/a.js', '/media/clips/x.webp', '/favicon.ico']) {
      expect((await ask(served.port, path)).status).toBe(403)
    }
    expect((await ask(served.port, '/?token=AAAA')).text).toMatch(/not from the Frameloom that runs now/)
  })

  test('the link is good once, for a cookie and a clean address', async () => {
    const first = await ask(served.port, launchPath(), { headers: { 'sec-fetch-site': 'none' } })
    expect(first.status).toBe(303)
    expect(first.headers.location).toBe('/')
    const [header = ''] = first.headers['set-cookie'] ?? []
    expect(header).toMatch(/^frameloom-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
    cookie = header.split(';')[0]!
    const second = await ask(served.port, launchPath())
    expect(second.status).toBe(403)
    expect(second.headers['set-cookie']).toBeUndefined()
    expect(second.text).toMatch(/used already/)
    const again = await ask(served.port, launchPath(), { headers: own() })
    expect([again.status, again.headers.location]).toEqual([303, '/'])
  })

  test('the page comes with its policy', async () => {
    const page = await ask(served.port, '/', { headers: own() })
    expect(page.status).toBe(200)
    expect(page.text).toContain('<title>Frameloom</title>')
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self';.*require-trusted-types-for 'script'$/,
    )
    expect(page.headers['x-content-type-options']).toBe('nosniff')
    expect(page.headers['cross-origin-opener-policy']).toBe('same-origin')
    expect((await ask(served.port, '/assets/a.js', { headers: own() })).headers['content-type']).toMatch(
      /^text\/javascript/,
    )
  })

  test('another origin, host, port or method is refused with the cookie, too', async () => {
    const headers = own()
    for (const change of [
      { host: `evil.example:${served.port}` },
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const answer = await ask(served.port, '/', { headers: { ...headers, ...change } })
      expect(answer.status, JSON.stringify(change)).toBeGreaterThanOrEqual(400)
      expect(answer.text).not.toContain('<script')
    }
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'POST']) {
      const answer = await ask(served.port, '/', { method, headers: { ...headers, origin: `http://${headers.host}` } })
      expect(answer.status, method).toBe(405)
    }
  })

  test('the socket is checked the same', async () => {
    const origin = `http://127.0.0.1:${served.port}`
    const attempt = (headers: Record<string, string>, path = '/rpc') =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${served.port}${path}`, { headers })
        socket.on('open', () => {
          socket.terminate()
          resolve('open')
        })
        socket.on('error', (error) => {
          resolve(error.message)
        })
      })
    expect(await attempt({ origin, cookie })).toBe('open')
    expect(await attempt({ origin })).toMatch(/403/)
    expect(await attempt({ cookie })).toMatch(/403/)
    expect(await attempt({ origin: 'null', cookie })).toMatch(/403/)
    expect(await attempt({ origin: `http://localhost:${served.port}`, cookie })).toMatch(/403/)
    expect(await attempt({ origin, cookie, 'sec-fetch-site': 'same-site' })).toMatch(/403/)
    expect(await attempt({ origin, cookie }, '/other')).toMatch(/405/)
    expect(await attempt({ origin, cookie: `${cookie}x` })).toMatch(/403/)
  })
})

test('hostile paths and ids: no route leads out', async () => {
  const routes = ['/', '/assets/', '/media/clips/', '/media/previews/', '/media/frames/']
  let asked = 0
  for (const name of hostileNames.filter((name) => name.length < 500)) {
    for (const [at, route] of routes.entries()) {
      // Raw, as no browser would send it, where the request line can carry it; else encoded.
      const raw = /^[\x21-\x7e]*$/.test(name) && !name.includes('?')
      const path = route + (raw ? name : encodeURIComponent(name)) + (at === 2 ? '.webp' : '')
      const { status, text } = await ask(served.port, path, { headers: own() })
      asked++
      if (status === 200) expect(['/', '/./', '/assets/a.js'], path).toContain(path)
      expect(text, path).not.toContain('secret\n')
      expect(text === 'secret', path).toBe(false)
    }
  }
  expect(asked).toBeGreaterThan(2000)
})

test('garbage on the line ends that line and nothing else', async () => {
  for (const garbage of [
    'GET',
    'GET http://evil.example/ HTTP/1.1\r\n\r\n',
    'X'.repeat(100_000),
    '\u0000\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  ]) {
    await new Promise<void>((resolve) => {
      const socket = createConnection(served.port, '127.0.0.1', () => socket.end(garbage))
      socket.on('data', (data) => {
        expect(data.toString()).toMatch(/^HTTP\/1\.1 4\d\d/)
      })
      socket.on('error', () => {})
      socket.on('close', () => {
        resolve()
      })
    })
  }
  expect((await ask(served.port, '/', { headers: own() })).status).toBe(200)
})

test('a message that is none ends its line, and no other page notices', async () => {
  const page = await connect(served.port, cookie)
  const headers = { cookie, origin: `http://127.0.0.1:${served.port}` }
  const closedBy = (message: string | Buffer) =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${served.port}/rpc`, { headers })
      socket.on('open', () => {
        socket.send(message)
      })
      socket.on('close', resolve)
    })
  for (const text of hostileMessages) expect(await closedBy(text), text).toBe(1008)
  expect(await closedBy(Buffer.from([1, 2, 255]))).toBe(1008)
  expect(await closedBy('x'.repeat(2 ** 20 + 1))).toBe(1009)
  expect(await page.client.doctor()).toMatchObject({ checks: [{ name: 'Engine' }] })
  await page.close()
})

test('a second studio on the same folder says so', async () => {
  await expect(host.start()).rejects.toMatchObject({
    problem: { code: 'unsupported', message: expect.stringContaining('Another Frameloom') as string },
  })
})

test('a port that is taken is named', async () => {
  await expect(host.start({ port: served.port, dataDir: join(host.root, 'other') })).rejects.toMatchObject({
    problem: { message: expect.stringContaining('another program uses it') as string },
  })
})

test('only the address that was asked for is bound', async () => {
  const wide = await host.start({ host: '0.0.0.0', dataDir: join(host.root, 'wide') })
  expect(wide.address).toBe('0.0.0.0')
  expect(host.printed.join('\n')).toMatch(/Warning: other machines can reach 0\.0\.0\.0/)
  expect((await ask(wide.port, '/')).status).toBe(403)
  await wide.close()
})

test('an empty address is refused, not taken for every one, and nothing is opened for it', async () => {
  for (const address of ['', ' ']) {
    const refused = host.start({ host: address, dataDir: join(host.root, 'never') })
    await expect(refused).rejects.toMatchObject({ problem: { code: 'bad-input', field: 'host' } })
  }
  expect(existsSync(join(host.root, 'never'))).toBe(false)
})

test.runIf(process.platform === 'linux')('the link for each loopback address opens the studio', async () => {
  for (const address of ['127.0.0.2', '::ffff:127.0.0.1']) {
    const other = await host.start({ host: address, dataDir: join(host.root, 'loopback') })
    const { host: name, pathname, search } = new URL(other.url)
    const answer = await ask(other.port, pathname + search, { host: address, headers: { host: name } })
    expect(answer.status, address).toBe(303)
    await other.close()
  }
})

test('a cookie that another server of this machine planted locks nobody out', async () => {
  const [name = ''] = cookie.split('=')
  for (const both of [`${name}=planted; ${cookie}`, `${cookie}; ${name}=planted`])
    expect((await ask(served.port, '/', { headers: { ...own(), cookie: both } })).status).toBe(200)
  expect((await ask(served.port, '/', { headers: { ...own(), cookie: `${name}=planted; ${name}=` } })).status).toBe(403)
})

test('of two Host headers neither is taken', async () => {
  const right = `127.0.0.1:${served.port}`
  for (const [first, second] of [
    [right, right],
    [right, 'evil.example'],
    ['evil.example', right],
  ]) {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(served.port, '127.0.0.1', () =>
        socket.end(`GET / HTTP/1.1\r\nHost: ${first}\r\nHost: ${second}\r\nCookie: ${cookie}\r\n\r\n`),
      )
      socket.on('data', (data) => resolve(data.toString()))
      socket.on('error', reject)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  }
})

test('no token in anything that was written', async () => {
  const secrets = [new URL(served.url).searchParams.get('token')!, cookie.split('=')[1]!]
  await served.close()
  const files = readdirSync(host.root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(host.root, name))
    .filter((file) => statSync(file).isFile())
  expect(files.length).toBeGreaterThan(3)
  for (const file of files) for (const secret of secrets) expect(readFileSync(file).includes(secret), file).toBe(false)
})
