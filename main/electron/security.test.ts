import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contentSecurityPolicy } from '#main/studio/page-headers.ts'
import { externalUrl, isOwnUrl, mayAsk } from './origin.ts'
import { createPageProtocol } from './page-protocol.ts'
import { studioScheme, windowOptions } from './window-options.ts'
import { isReachable, parseWindowState } from './window-state.ts'

const folder = import.meta.dirname
const sources = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
)
const filesWith = (pattern: RegExp): string[] =>
  [...sources].filter(([, text]) => pattern.test(text)).map(([name]) => name)

// The numbered list of electronjs.org/docs/latest/tutorial/security.
describe('Electron’s security checklist', () => {
  const web = windowOptions('/preload.cjs').webPreferences ?? {}

  test('1, 18: only our own page is loaded, over our own scheme', () => {
    expect(filesWith(/\bloadFile\(|\bfile:\/\//)).toEqual([])
    expect(filesWith(/\bloadURL\(/)).toEqual(['studio-window.ts'])
    expect([...sources.get('studio-window.ts')!.matchAll(/loadURL\(([^)]*)\)/g)].map((match) => match[1])).toEqual([
      'pageUrl',
      'pageUrl',
    ])
  })
  test('2, 3, 4: no Node in the page, its own world, the sandbox', () => {
    expect(web).toMatchObject({
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      contextIsolation: true,
      sandbox: true,
    })
    expect(sources.get('main.ts')).toContain('app.enableSandbox()')
  })
  test('5: every permission is denied but notifications of our own page', () => {
    const text = sources.get('lock-down.ts')!
    expect(text).toMatch(/setDevicePermissionHandler\(.*false/)
    for (const handler of ['setPermissionRequestHandler', 'setPermissionCheckHandler'])
      expect(text).toMatch(new RegExp(`${handler}\\(.*mayAsk\\(permission, contents`))
    expect(mayAsk('notifications', 'studio://app/index.html')).toBe(true)
    for (const url of [undefined, '', 'https://a.example/', 'studio://app.evil.example/'])
      expect(mayAsk('notifications', url)).toBe(false)
    for (const permission of ['media', 'geolocation', 'clipboard-read', 'openExternal', 'fileSystem', 'unknown'])
      expect(mayAsk(permission, 'studio://app/index.html')).toBe(false)
    expect(sources.get('main.ts')).toContain('denyPermissions(session.defaultSession)')
  })
  test('6, 8, 9, 10: no web security is taken away', () => {
    expect(web).toMatchObject({ webSecurity: true, allowRunningInsecureContent: false, experimentalFeatures: false })
    expect(web.enableBlinkFeatures).toBeUndefined()
    expect(studioScheme.privileges).toMatchObject({ bypassCSP: false, standard: true, secure: true })
    expect(filesWith(/appendSwitch|commandLine/)).toEqual([])
  })
  test('7: the policy allows nothing but our own', () => {
    const allowed = contentSecurityPolicy.split('; ').flatMap((directive) => directive.split(' ').slice(1))
    expect(new Set(allowed)).toEqual(new Set(["'none'", "'self'", 'blob:', 'data:', "'script'"]))
    expect(contentSecurityPolicy).toMatch(/script-src 'self';/)
  })
  test('11, 12: no webviews', () => {
    expect(web.webviewTag).toBe(false)
    expect(sources.get('lock-down.ts')).toMatch(/will-attach-webview', \(event\) => event\.preventDefault\(\)/)
  })
  test('13, 14: no navigation, no new windows', () => {
    const text = sources.get('lock-down.ts')!
    expect(text).toMatch(/will-frame-navigate/)
    expect(text).toMatch(/will-redirect/)
    expect(text).toMatch(/action: 'deny'/)
    expect(filesWith(/action: 'allow'/)).toEqual([])
    expect(sources.get('main.ts')).toMatch(/^pinContents\(\)$/m)
  })
  test('15: one way out, for https, confirmed', () => {
    expect(filesWith(/shell\.openExternal|openPath|\bshell\b/)).toEqual(['external-link.ts'])
    expect(sources.get('external-link.ts')).toMatch(/externalUrl\(url\)[^]*showMessageBox[^]*openExternal\(target\)/)
  })
  // 16 and 19, the version and the fuses: main/dev/fuses.test.ts.
  test('17: one channel, and its sender is checked', () => {
    expect(filesWith(/ipcMain/)).toEqual(['main.ts'])
    // What the menu asks the page for is an event of the contract, through the port that the page has handed over.
    expect(filesWith(/\.send\(|sendToFrame|executeJavaScript/)).toEqual([])
    expect([...sources.get('main.ts')!.matchAll(/ipcMain\.\w+\(/g)]).toHaveLength(1)
    expect(sources.get('main.ts')).toMatch(/isKnownSender\(event\.senderFrame, topFrames\)\) return/)
  })
  test('20: the page gets no Electron API', () => {
    const text = sources.get('preload.ts')!
    expect([...text.matchAll(/exposeInMainWorld\((.*)\)/g)].map((match) => match[1])).toEqual([
      `'frameloom', { host: 'electron' }`,
    ])
    expect([...text.matchAll(/ipcRenderer\.(\w+)/g)].map((match) => match[1])).toEqual(['postMessage'])
  })
})

test('only our own addresses are ours', () => {
  for (const url of ['studio://app/', 'studio://app/index.html', 'studio://app/media/clips/x.webp?a#b'])
    expect(isOwnUrl(url)).toBe(true)
  for (const url of [
    undefined,
    '',
    'studio:',
    'studio://',
    'studio://app2/',
    'studio://app.evil.example/',
    'studio://user@app/',
    'studio://evil/app/',
    'Xstudio://app/',
    'http://app/',
    'file:///studio://app/',
    'javascript:studio://app/',
  ]) {
    expect(isOwnUrl(url), url).toBe(false)
  }
})

test('only https goes to the system’s browser', () => {
  expect(externalUrl('https://huggingface.co/models?a=b#c')).toBe('https://huggingface.co/models?a=b#c')
  for (const url of [
    'http://a.example/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'smb://a/b',
    'ms-msdt:/id',
    'https://me:secret@a.example/',
    '',
    'a',
  ]) {
    expect(externalUrl(url), url).toBeNull()
  }
})

test('the page’s protocol answers our page only', async () => {
  const files = {
    refresh: () => {},
    find: () => undefined,
  }
  const answer = createPageProtocol({ handleMedia: () => Promise.resolve(new Response('media')) }, files)
  const status = async (url: string, init?: RequestInit): Promise<number> =>
    (await answer(new Request(url, init))).status
  expect(await status('studio://app/media/clips/x.webp')).toBe(200)
  expect(await status('studio://app/nothing')).toBe(404)
  expect(await status('studio://evil/media/clips/x.webp')).toBe(403)
  expect(await status('studio://app/index.html', { method: 'POST' })).toBe(405)
})

describe('the window', () => {
  const display = { x: 0, y: 0, width: 1920, height: 1080 }
  const state = { x: 10, y: 10, width: 1200, height: 800, maximized: false }
  test('comes back where it was, if that can be seen', () => {
    expect(parseWindowState(JSON.stringify(state))).toEqual(state)
    expect(isReachable(state, [display])).toBe(true)
    expect(isReachable({ ...state, x: 3000 }, [display])).toBe(false)
    expect(isReachable({ ...state, y: -900 }, [display])).toBe(false)
    expect(isReachable({ ...state, x: -1150 }, [display])).toBe(false)
    expect(isReachable({ ...state, x: 3000 }, [display, { ...display, x: 1920 }])).toBe(true)
  })
  test('a broken file is no state', () => {
    for (const text of ['', '{', 'null', '{}', '{"x":"a"}', JSON.stringify({ ...state, width: 1e9 })])
      expect(parseWindowState(text)).toBeNull()
  })
})
