import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { ProblemError } from '#app/contract/errors.ts'
import { dataDir as userDataDir } from '#main/paths.ts'
import { rendererDir } from '#main/studio/page-dir.ts'
import { openDoor } from '#main/studio/door.ts'
import { openStudio, type OpenStudioOptions } from '#main/studio/open-studio.ts'
import { hostsOf, isLoopback, linkHost } from './addresses.ts'
import { createHttpHandler, judgeRequest, postPaths, socketPath } from './http-handler.ts'
import { launchFile, openBrowser } from './open-browser.ts'
import type { Log } from '#main/studio/log.ts'
import { openPageFiles } from '#main/studio/page-files.ts'
import { serveSocket } from './socket.ts'
import { createTokens } from './tokens.ts'

/** Fixed, so that the browser keeps the page's own settings from one start to the next. */
export const defaultPort = 8715

export type ServeOptions = OpenStudioOptions & {
  /** 0 for any free one. Left out: 8715, or any free one when that is taken. */
  port?: number
  /** The address to listen on. Another one than a loopback address lets other machines try. */
  host?: string
  /** Open the default browser. */
  open?: boolean
  /** The built page. */
  pageDir?: string
  /** Where the line with the link goes, and warnings. */
  print?: (line: string) => void
}

export type Served = {
  /** With the one-time launch token: only to be shown to the user. */
  url: string
  port: number
  /** The address that is really bound. */
  address: string
  /** A link with a fresh token; the one before it ends. */
  newLink(): string
  log: Log
  close(): Promise<void>
}

/** Opens the studio and serves it. Throws a ProblemError when the library, the page or the port cannot be had. */
export async function startServe(options: ServeOptions = {}): Promise<Served> {
  const { host = '127.0.0.1', open = true, print = console.log } = options
  // To Node an empty address means every one; here it is more likely a variable that is not set.
  if (host.trim() === '') {
    const message = '--host is empty. Leave it out for 127.0.0.1, or name an address: 0.0.0.0 is every one.'
    throw new ProblemError('bad-input', message, { field: 'host' })
  }
  const dataDir = options.dataDir ?? userDataDir()
  const pageDir = options.pageDir ?? rendererDir()
  if (!existsSync(pageDir)) {
    throw new ProblemError(
      'unsupported',
      `The page is not built: ${pageDir} does not exist. Run \`npm start\` once, which builds it.`,
    )
  }
  const studio = await openStudio({ ...options, dataDir })
  const server = createServer()
  try {
    await listen(server, host, options.port)
  } catch (error) {
    await studio.close()
    throw error
  }
  const { address, port } = server.address() as AddressInfo
  const tokens = createTokens()
  const policy = { hosts: hostsOf(address, port, host), postPaths, socketPath }
  const linkOf = (token: string): string => `http://${linkHost(address, port)}/?token=${token}`
  const newLink = (): string => linkOf(tokens.renew())
  const launch = launchFile(studio.scratch)
  const forgetLaunch = (): Promise<void> =>
    rm(launch, { force: true }).catch((error: unknown) => studio.log.warn({ error }, 'a used link stays on the disk'))
  const exchanged = (): void => void forgetLaunch()
  const tools = { studio, files: openPageFiles(pageDir), tokens, policy, port, exchanged }
  const handle = createHttpHandler(tools)
  server.on('request', (request, response) => {
    handle(request, response).catch((error: unknown) => {
      studio.log.error({ error }, 'request failed')
      response.destroy()
    })
  })
  const closeSocket = serveSocket(server, studio, (request) => judgeRequest(tools, request, true))
  const closeDoor = await openDoor(dataDir, studio.log, () => ({ kind: 'link', url: newLink() }))
  studio.log.info({ address, port }, 'serving')

  const url = linkOf(tokens.launch())
  for (const notice of studio.notices) print(notice)
  if (!isLoopback(address)) {
    print(
      `Warning: other machines can reach ${address}:${port}. The link lets them in, and nothing that they send or get is encrypted.`,
    )
  }
  const opened = open && (await openBrowser(url, launch))
  print(
    opened
      ? `Frameloom opens in your browser, or open this link (good once): ${url}`
      : `Open Frameloom in your browser (link good once): ${url}`,
  )

  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    closeSocket()
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    closeDoor()
    await Promise.all([closed, forgetLaunch()])
    await studio.close()
  }
  return {
    url,
    port,
    address,
    newLink,
    log: studio.log,
    close: () => (closing ??= close()),
  }
}

async function listen(server: ReturnType<typeof createServer>, host: string, port: number | undefined): Promise<void> {
  const attempt = (wanted: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(wanted, host === 'localhost' ? '127.0.0.1' : host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  try {
    await attempt(port ?? defaultPort)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' && port === undefined) return attempt(0)
    const reason = code === 'EADDRINUSE' ? 'another program uses it; choose another with --port' : message
    throw new ProblemError('unsupported', `Could not listen on ${host}:${port ?? defaultPort}: ${reason}.`, {
      cause: error,
    })
  }
}
