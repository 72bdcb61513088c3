import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { hostsOf, linkHost } from './addresses.ts'
import { judge, type GuardedRequest } from './guard.ts'
import { postPaths, socketPath } from './http-handler.ts'

const port = 8715
const policy = { hosts: hostsOf('127.0.0.1', port), postPaths, socketPath }

const goodHosts = [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]
const badHosts = [
  undefined,
  '',
  '127.0.0.1',
  'localhost',
  `127.0.0.1:${port + 1}`,
  `127.0.0.1:${port}.evil.example`,
  `evil.example:${port}`,
  'evil.example',
  `127.0.0.1.evil.example:${port}`,
  `localhost.evil.example:${port}`,
  `0.0.0.0:${port}`,
  `[::]:${port}`,
  `[::ffff:127.0.0.1]:${port}`,
  `127.1:${port}`,
  `2130706433:${port}`,
  `user@127.0.0.1:${port}`,
  `127.0.0.1:${port},evil.example`,
]
const hosts = [...goodHosts, ...badHosts]
/** Given the request's own host, so that the right one is right for each. */
const origins: ((host: string) => string | undefined)[] = [
  (host) => `http://${host.toLowerCase()}`,
  () => undefined,
  () => 'null',
  () => '',
  (host) => `https://${host}`,
  () => `http://127.0.0.1:${port + 1}`,
  () => 'http://127.0.0.1',
  () => 'https://evil.example',
  () => `http://127.0.0.1:${port}.evil.example`,
  () => 'file://',
]
const sites = ['same-origin', 'none', 'same-site', 'cross-site']
const tokens: Pick<GuardedRequest, 'session' | 'launch'>[] = [
  { session: 'missing', launch: 'missing' },
  { session: 'wrong', launch: 'missing' },
  { session: 'valid', launch: 'missing' },
  { session: 'missing', launch: 'valid' },
  { session: 'missing', launch: 'spent' },
]
const routes: Pick<GuardedRequest, 'method' | 'path' | 'upgrade'>[] = [
  { method: 'GET', path: '/', upgrade: false },
  { method: 'GET', path: '/assets/index.js', upgrade: false },
  { method: 'GET', path: '/media/clips/x.webp', upgrade: false },
  { method: 'GET', path: '/media/clips/x/export.gif', upgrade: false },
  { method: 'GET', path: '/media/previews/x', upgrade: false },
  { method: 'GET', path: '/media/frames/x', upgrade: false },
  { method: 'HEAD', path: '/', upgrade: false },
  { method: 'POST', path: '/media/uploads', upgrade: false },
  { method: 'POST', path: '/media/frames', upgrade: false },
  { method: 'GET', path: '/rpc', upgrade: true },
  // what must never work
  { method: 'POST', path: '/', upgrade: false },
  { method: 'DELETE', path: '/media/clips/x.webp', upgrade: false },
  { method: 'PUT', path: '/media/uploads', upgrade: false },
  { method: 'OPTIONS', path: '/media/uploads', upgrade: false },
  { method: 'GET', path: '/', upgrade: true },
  { method: 'POST', path: '/rpc', upgrade: true },
]
const dead = routes.slice(10)
const writes = (route: (typeof routes)[number]) => route.method === 'POST' || route.upgrade

test('every cell of hosts, origins, sites, tokens and routes: only the allowed ones pass', () => {
  let cells = 0
  let allowed = 0
  let exchanged = 0
  for (const host of hosts)
    for (const [o, originOf] of origins.entries())
      for (const secFetchSite of sites)
        for (const token of tokens)
          for (const route of routes) {
            cells++
            const origin = originOf(host ?? '')
            const request = {
              ...route,
              ...token,
              hosts: host === undefined ? [] : [host],
              origin,
              secFetchSite,
              secFetchMode: 'cors',
              secFetchDest: 'empty',
            }
            const { kind } = judge(request, policy)
            // Written out from the threat's own words, not from the guard's code.
            const knownHost = goodHosts.includes(host ?? '')
            const own = o === 0 || (o === 1 && !writes(route))
            const fromUs = secFetchSite === 'same-origin' || (secFetchSite === 'none' && !writes(route))
            const passes = knownHost && own && fromUs && !dead.includes(route)
            const launches = passes && token.launch === 'valid' && route.method === 'GET' && route.path === '/'
            const expected = launches ? 'exchange' : passes && token.session === 'valid' ? 'allow' : 'refuse'
            if (kind !== expected) expect({ request, kind }).toEqual({ request, kind: expected })
            if (kind === 'allow') allowed++
            if (kind === 'exchange') exchanged++
          }
  expect(cells).toBe(hosts.length * 10 * 4 * 5 * routes.length)
  expect(hosts.length).toBeGreaterThanOrEqual(20)
  // 4 hosts: 7 reading routes with 2 origins and 2 sites, 3 writing routes with 1 and 1.
  expect(allowed).toBe(4 * (7 * 2 * 2 + 3))
  expect(exchanged).toBe(4 * 2 * 2)
})

const base: GuardedRequest = {
  method: 'GET',
  path: '/',
  hosts: [`127.0.0.1:${port}`],
  origin: undefined,
  secFetchSite: 'cross-site',
  secFetchMode: 'navigate',
  secFetchDest: 'document',
  upgrade: false,
  session: 'missing',
  launch: 'valid',
}

test('a launch link that is followed from elsewhere gets in, and only that', () => {
  expect(judge(base, policy)).toEqual({ kind: 'exchange', reload: true })
  expect(judge({ ...base, secFetchSite: 'none' }, policy)).toEqual({ kind: 'exchange', reload: false })
  for (const change of [
    { launch: 'spent' },
    { launch: 'wrong' },
    { launch: 'missing' },
    { launch: 'missing', session: 'valid' },
    { launch: 'wrong', session: 'valid' },
    { launch: 'spent', session: 'valid' },
    { secFetchMode: 'no-cors' },
    { secFetchDest: 'iframe' },
    { secFetchDest: 'image' },
    { path: '/assets/index.js' },
    { method: 'HEAD' },
    { method: 'POST' },
    { upgrade: true },
    { origin: 'null' },
    { hosts: ['evil.example'] },
    { hosts: [] },
    { hosts: [...base.hosts, ...base.hosts] },
  ] satisfies Partial<GuardedRequest>[]) {
    expect(judge({ ...base, ...change }, policy).kind, JSON.stringify(change)).toBe('refuse')
  }
})

test('a program that is no browser needs origin and cookie, too', () => {
  const plain = {
    ...base,
    secFetchSite: undefined,
    secFetchMode: undefined,
    secFetchDest: undefined,
    launch: 'missing' as const,
  }
  expect(judge(plain, policy)).toMatchObject({ kind: 'refuse', reason: 'no-session' })
  expect(judge({ ...plain, session: 'valid' }, policy)).toEqual({ kind: 'allow' })
  const socket = { ...plain, path: '/rpc', upgrade: true, session: 'valid' as const }
  expect(judge(socket, policy)).toMatchObject({ kind: 'refuse', reason: 'origin' })
  expect(judge({ ...socket, origin: `http://127.0.0.1:${port}` }, policy)).toEqual({ kind: 'allow' })
  expect(judge({ ...socket, origin: `http://localhost:${port}` }, policy)).toMatchObject({
    kind: 'refuse',
    reason: 'origin',
  })
})

test('of two Host headers none counts, whatever they are', () => {
  for (const hosts of [
    [goodHosts[0]!, goodHosts[0]!],
    [goodHosts[0]!, 'evil.example'],
    ['evil.example', goodHosts[0]!],
  ])
    for (const token of tokens)
      expect(judge({ ...base, ...token, hosts }, policy)).toEqual({ kind: 'refuse', status: 400, reason: 'hosts' })
})

test('names follow the address that is bound', () => {
  expect([...hostsOf('192.168.1.5', 80)]).toEqual(['192.168.1.5', '192.168.1.5:80'])
  expect(hostsOf('192.168.1.5', 9000).has('localhost:9000')).toBe(false)
  expect(hostsOf('::1', 9000).has('[::1]:9000')).toBe(true)
  for (const any of ['0.0.0.0', '::', '::ffff:0.0.0.0']) {
    expect(hostsOf(any, 9000).has('127.0.0.1:9000')).toBe(true)
    expect(hostsOf(any, 9000).has(`${hostname().toLowerCase()}:9000`)).toBe(true)
  }
  expect(hostsOf('192.168.1.5', 9000, 'Studio.local').has('studio.local:9000')).toBe(true)
  // As a browser's address bar makes it, and as it was printed.
  expect([...hostsOf('::ffff:192.168.1.5', 9000)]).toEqual(['[::ffff:c0a8:105]:9000', '[::ffff:192.168.1.5]:9000'])
  expect([...hostsOf('fe80::1%eth0', 9000)]).toEqual(['[fe80::1]:9000'])
})

test('whatever is bound is in its own list, and so is what the link says', () => {
  const bound = ['127.0.0.1', '127.0.0.2', '127.255.255.254', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::']
  for (const address of [...bound, '::ffff:0.0.0.0', '192.168.1.5', 'fe80::1%eth0', '::ffff:10.0.0.1']) {
    const hosts = hostsOf(address, 80)
    expect(hosts.has(linkHost(address, 80)), address).toBe(true)
    expect(hosts.has(new URL(`http://${linkHost(address, 80)}`).host), address).toBe(true)
  }
})
