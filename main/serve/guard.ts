/** What the guard needs to know of a request; header values as they came, undefined when absent. */
export type GuardedRequest = {
  method: string
  /** Without the query. */
  path: string
  /** Every Host header: there must be one. */
  hosts: readonly string[]
  origin: string | undefined
  secFetchSite: string | undefined
  secFetchMode: string | undefined
  secFetchDest: string | undefined
  /** A WebSocket handshake. */
  upgrade: boolean
  /** The session cookie, compared with the secret. */
  session: 'valid' | 'wrong' | 'missing'
  /** The token in the address, compared with the one that was printed. */
  launch: 'valid' | 'wrong' | 'spent' | 'missing'
}

export type GuardPolicy = {
  /** Every `host:port` by which this server may be called, in lower case. */
  hosts: ReadonlySet<string>
  /** Paths that take POST; all others take GET and HEAD. */
  postPaths: ReadonlySet<string>
  /** The one path that takes a WebSocket. */
  socketPath: string
}

export type Verdict =
  | { kind: 'allow' }
  /** Give the session cookie for the launch token. `reload`: a redirect would go without the new cookie. */
  | { kind: 'exchange'; reload: boolean }
  | { kind: 'refuse'; status: number; reason: Refusal }

export type Refusal =
  'hosts' | 'host' | 'origin' | 'cross-site' | 'method' | 'launch-spent' | 'launch-wrong' | 'no-session'

const refuse = (status: number, reason: Refusal): Verdict => ({ kind: 'refuse', status, reason })

/**
 * Decides about each request before anything else looks at it. In order: the name by which we were called
 * (against DNS rebinding), where the request comes from (against pages of other origins, ports and schemes), the
 * method, and who asks.
 */
export function judge(request: GuardedRequest, policy: GuardPolicy): Verdict {
  const { method, path, origin, secFetchSite, upgrade, session, launch } = request
  // RFC 9112, 3.2: who takes the first and who takes the last of two would not mean the same.
  if (request.hosts.length > 1) return refuse(400, 'hosts')
  const host = request.hosts[0]?.toLowerCase()
  if (host === undefined || !policy.hosts.has(host)) return refuse(421, 'host')
  if (origin !== undefined && origin !== `http://${host}`) return refuse(403, 'origin')

  const changes = method === 'POST' || upgrade
  const isRead = (method === 'GET' || method === 'HEAD') && !upgrade
  // Only a page can send these: one of ours always says where it is.
  if (changes && origin === undefined) return refuse(403, 'origin')

  // A link that a user follows, in another program or on a page. It gets in with the launch token only: the cookie is
  // not sent along.
  const isLaunch = method === 'GET' && !upgrade && path === '/' && launch !== 'missing'
  const followed = request.secFetchMode === 'navigate' && request.secFetchDest === 'document' && isLaunch
  switch (secFetchSite) {
    case undefined: // not a browser, or no secure context: Origin and cookie decide
    case 'same-origin':
      break
    case 'none': // typed or opened by the user
      if (changes) return refuse(403, 'cross-site')
      break
    default: // cross-site, same-site (another port of this machine), and anything we do not know
      if (!followed) return refuse(403, 'cross-site')
  }

  if (
    upgrade
      ? method !== 'GET' || path !== policy.socketPath
      : !isRead && !(method === 'POST' && policy.postPaths.has(path))
  ) {
    return refuse(405, 'method')
  }
  const foreign = followed && secFetchSite !== 'none' && secFetchSite !== 'same-origin' && secFetchSite !== undefined
  if (isLaunch && launch === 'valid') return { kind: 'exchange', reload: foreign }
  if (foreign) return refuse(403, launch === 'spent' ? 'launch-spent' : 'launch-wrong')
  // A link that was used before still opens the page where its cookie is: a reload of the first address, say.
  if (session === 'valid') return { kind: 'allow' }
  if (isLaunch) return refuse(403, launch === 'spent' ? 'launch-spent' : 'launch-wrong')
  return refuse(403, 'no-session')
}
