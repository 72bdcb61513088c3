import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import type { ContractRouterClient } from '@orpc/contract'
import { WebSocket } from 'ws'
import type { Job } from '#app/contract/jobs.ts'
import type { StudioEvent, studioContract } from '#app/contract/studio.ts'
import { appRoot } from '#main/paths.ts'
import { startServe, type ServeOptions, type Served } from '#main/serve/serve.ts'

export type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer; text: string }

/** One HTTP request with exactly these headers; fetch would set Host and others by itself. */
export const ask = (
  port: number,
  path: string,
  options: RequestOptions & { body?: Uint8Array } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { body, ...rest } = options
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false, ...rest }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const whole = Buffer.concat(chunks)
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: whole, text: whole.toString() })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })

/** A page's line to the host: it keeps all events, and the newest state of each job. */
export async function connect(port: number, cookie: string) {
  const origin = `http://127.0.0.1:${port}`
  const websocket = new WebSocket(`ws://127.0.0.1:${port}/rpc`, { headers: { cookie, origin } })
  await new Promise((resolve, reject) => {
    websocket.once('open', resolve)
    websocket.once('error', reject)
  })
  const link = new RPCLink({ websocket: websocket as unknown as globalThis.WebSocket })
  const client = createORPCClient<ContractRouterClient<typeof studioContract>>(link)
  const events: StudioEvent[] = []
  const jobs = new Map<string, Job>()
  let wake = (): void => {}
  const iterator = await client.events()
  const reading = (async () => {
    for await (const event of iterator) {
      events.push(event)
      if (event.type === 'snapshot') for (const job of event.jobs) jobs.set(job.id, job)
      if (event.type === 'job') jobs.set(event.job.id, event.job)
      wake()
    }
  })().catch(() => {})
  const until = async <T>(find: () => T | undefined | false): Promise<T> => {
    for (;;) {
      const found = find()
      if (found !== undefined && found !== false) return found
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return {
    client,
    events,
    jobs,
    until,
    untilJob: (id: string, ...status: Job['status'][]): Promise<Job> =>
      until(() => {
        const job = jobs.get(id)
        return job && status.includes(job.status) && job
      }),
    close: async () => {
      websocket.terminate()
      await reading
    },
  }
}
export type Page = Awaited<ReturnType<typeof connect>>

/** What the host told a page first. */
export function snapshotOf({ events }: Page) {
  const [event] = events
  if (event?.type !== 'snapshot') throw new Error('the first event is no snapshot')
  return event
}

/** A page on a host that was just started, when it knows the models. */
export async function openPage(host: TestHost) {
  const served = await host.start()
  const cookie = await host.enter(served)
  const page = await connect(served.port, cookie)
  await page.until(() => page.events.some((event) => 'models' in event && event.models.length > 0))
  return { served, cookie, page }
}

/**
 * A served studio with its own data folder and the engine of test-engine.ts: real HTTP, WebSocket, SQLite and child
 * process.
 */
export function createTestHost() {
  const root = mkdtempSync(join(tmpdir(), 'frameloom-host-'))
  const pageDir = join(root, 'page')
  mkdirSync(join(pageDir, 'assets'), { recursive: true })
  writeFileSync(
    join(pageDir, 'index.html'),
    '<!doctype html><title>Frameloom</title><script src="./assets/a.js"></script>',
  )
  writeFileSync(join(pageDir, 'assets/a.js'), 'document.title = "Frameloom"')
  writeFileSync(join(root, 'secret'), 'secret')
  const open: Served[] = []
  const printed: string[] = []
  return {
    root,
    printed,
    async start(options: ServeOptions = {}): Promise<Served> {
      const served = await startServe({
        port: 0,
        open: false,
        dataDir: join(root, 'data'),
        pageDir,
        enginePath: join(appRoot(), 'dist/test/engine.js'),
        modelRoots: () => [],
        print: (line) => printed.push(line),
        ...options,
      })
      open.push(served)
      return served
    },
    /** Follows the printed link as a browser does; the cookie that it gets. */
    async enter({ url, port }: Served): Promise<string> {
      const { headers } = await ask(port, url.slice(url.indexOf('/?')))
      return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    },
    async close(): Promise<void> {
      for (const served of open) await served.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}
export type TestHost = ReturnType<typeof createTestHost>

/** What no page sends. */
export const hostileMessages: readonly string[] = [
  '',
  '{',
  'null',
  '1',
  '[]',
  '{}',
  '{"i":1}',
  '{"i":"1"}',
  '{"i":"1","p":null}',
  '{"i":"1","p":{"u":1}}',
  '{"i":"1","p":{"u":"http://evil.example/doctor"}}',
  '{"i":"1","p":{"u":"/../doctor"}}',
  '{"i":"1","p":{"u":"/__proto__/constructor"}}',
  '{"i":"1","p":{"u":"/constructor"}}',
  '{"i":"1","p":{"u":"/toString"}}',
  '{"i":"1","p":{"u":"/nothing"}}',
  '{"i":"1","p":{"u":"/doctor","m":"GET"}}',
  '{"i":"1","p":{"u":"/doctor","h":{"content-type":"text/event-stream"}}}',
  '{"i":"1","p":{"u":"/doctor","h":{"content-disposition":"attachment"}}}',
  '{"i":"1","t":2,"p":{"u":"/doctor"}}',
  '{"i":"1","t":3,"p":{"e":"message"}}',
  '{"i":["1"],"t":4}',
  `{"i":"${'x'.repeat(200)}","t":4}`,
  '{"__proto__":{"i":"1"},"p":{"u":"/doctor"}}',
]
