import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OpenedStudio } from '#main/studio/open-studio.ts'
import { cookieName, readCookies, sessionCookie } from './cookies.ts'
import { judge, type GuardPolicy, type Refusal, type Verdict } from './guard.ts'
import { pageHeaders } from '#main/studio/page-headers.ts'
import type { PageFiles } from '#main/studio/page-files.ts'
import type { Tokens } from './tokens.ts'
import { sendWebResponse, toWebRequest } from './web-request.ts'
import { refusalPage, refusalText, reloadPage } from './words-page.ts'

export const socketPath = '/rpc'
export const postPaths: ReadonlySet<string> = new Set(['/media/uploads', '/media/frames', '/media/inputs'])

export type HandlerTools = {
  studio: Pick<OpenedStudio, 'handleMedia' | 'log'>
  files: PageFiles
  tokens: Tokens
  policy: GuardPolicy
  port: number
  /** The launch token was used. */
  exchanged: () => void
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value

/** The path and query of a request line; a whole URL in it (a proxy's form) has no path here. */
const splitTarget = (target: string): [string, string] => {
  const at = target.indexOf('?')
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)]
}

export function judgeRequest(
  tools: Pick<HandlerTools, 'tokens' | 'policy' | 'port'>,
  request: IncomingMessage,
  upgrade: boolean,
): Verdict {
  const { headers, method = '' } = request
  const [path, query] = splitTarget(request.url ?? '')
  return judge(
    {
      method,
      path,
      hosts: request.headersDistinct.host ?? [],
      origin: one(headers.origin),
      secFetchSite: one(headers['sec-fetch-site']),
      secFetchMode: one(headers['sec-fetch-mode']),
      secFetchDest: one(headers['sec-fetch-dest']),
      upgrade,
      session: tools.tokens.sessionState(readCookies(headers.cookie, cookieName(tools.port))),
      launch: tools.tokens.launchState(new URLSearchParams(query).get('token')),
    },
    tools.policy,
  )
}

/** Answers HTTP: the guard first, then the page's files and the media routes. */
export const createHttpHandler =
  (tools: HandlerTools) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { studio, files, tokens } = tools
    const verdict = judgeRequest(tools, request, false)
    const [path, query] = splitTarget(request.url ?? '')
    const send = (status: number, type: string, body: string, more: Record<string, string> = {}): void => {
      const headers = { ...pageHeaders, 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store', ...more }
      response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body)
    }

    if (verdict.kind === 'refuse') {
      refuse(verdict.status, verdict.reason)
      return
    }
    if (verdict.kind === 'exchange') {
      const cookie = { 'set-cookie': sessionCookie(cookieName(tools.port), tokens.exchange()) }
      tools.exchanged()
      if (verdict.reload) {
        send(200, 'text/html', reloadPage, cookie)
        return
      }
      send(303, 'text/plain', '', { ...cookie, location: '/' })
      return
    }
    if (path.startsWith('/media/')) {
      return sendWebResponse(await studio.handleMedia(toWebRequest(request, response)), response)
    }
    // A link that was used before, in the browser that used it: without the token in the address bar.
    if (path === '/' && new URLSearchParams(query).has('token')) {
      send(303, 'text/plain', '', { location: '/' })
      return
    }
    if (path === '/') files.refresh()
    const file = files.find(path)
    if (!file) {
      send(404, 'text/plain', 'There is nothing here.')
      return
    }
    response.writeHead(200, { ...pageHeaders, 'content-type': file.type, 'content-length': file.bytes })
    if (request.method === 'HEAD') return void response.end()
    file
      .stream()
      .on('error', () => response.destroy())
      .pipe(response)

    function refuse(status: number, reason: Refusal): void {
      // The body of a refused upload is not read: the line is closed with the answer.
      const more = request.method === 'POST' ? { connection: 'close' } : {}
      if (request.headers.accept?.includes('text/html')) send(status, 'text/html', refusalPage(reason), more)
      else send(status, 'text/plain', refusalText(reason), more)
    }
  }
