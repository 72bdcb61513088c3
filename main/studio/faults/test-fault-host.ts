import { spawn } from 'node:child_process'
import { readdirSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Job } from '#app/contract/jobs.ts'
import type { EngineStatus } from '#app/contract/system.ts'
import { testSettings } from '#app/library/test-results.ts'
import { appRoot } from '#main/paths.ts'
import { ask, connect, snapshotOf } from '#main/studio/testing.ts'

/** The moments of a job, in their order, as the page hears of them; `part` and `file` are seen in the clips' folder. */
export const moments = ['queued', 'loading', 'step', 'decoding', 'saving', 'part', 'file', 'done'] as const
export type Moment = (typeof moments)[number]

function rankOf(job: Job | undefined): number {
  const is = (moment: Moment): number => moments.indexOf(moment)
  if (!job) return -1
  if (job.status === 'done') return is('done')
  if (/^Saving/.test(job.stage)) return is('saving')
  if (/^Decoding/.test(job.stage)) return is('decoding')
  if (job.step > 0) return is('step')
  return job.status === 'queued' ? is('queued') : is('loading')
}

/** The serve host as it is shipped, with the real engine, in processes of their own: they may be killed. */
export async function startFaultHost(dataDir: string) {
  const child = spawn(process.execPath, [join(appRoot(), 'dist/node/serve.js'), '--no-open', '--port', '0'], {
    env: { ...process.env, FRAMELOOM_DATA: dataDir, HF_HOME: join(dataDir, 'no-hub') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const url = await new Promise<URL>((resolve, reject) => {
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const found = /http:\S+token=\S+(?=\n)/.exec(said)
      if (found) resolve(new URL(found[0]))
    })
    void ended.then(() => reject(new Error(`The studio ended before it printed a link. It said: ${said}`)))
  })
  const port = Number(url.port)
  const { headers } = await ask(port, url.pathname + url.search)
  const page = await connect(port, headers['set-cookie']![0]!.split(';')[0]!)
  await page.until(() => page.events.some((event) => 'models' in event && event.models.length > 0))

  const engine = (): EngineStatus => {
    const last = page.events.findLast((event) => event.type === 'engine')
    return last ? last.engine : snapshotOf(page).engine
  }
  const results = (): Set<string> => {
    const ids = new Set(snapshotOf(page).results.map(({ id }) => id))
    for (const event of page.events) if (event.type === 'result-added') ids.add(event.result.id)
    return ids
  }
  return {
    page,
    engine,
    results,
    engineReady: (not?: number): Promise<EngineStatus> =>
      page.until(() => engine().state === 'ready' && engine().pid !== not && engine()),
    async generate(prompt: string): Promise<string> {
      const models = { model: 'moving-shapes', motionAdapter: 'moving-shapes-motion' }
      const settings = { ...testSettings, ...models, prompt }
      return (await page.client.run({ pipeline: 'text-to-video', settings })).jobId
    },
    /** Resolves when a job is there or past it: news of what lasts a moment only may be left out. */
    async reach(id: string, moment: Moment): Promise<void> {
      const rank = moments.indexOf(moment)
      if (moment !== 'part' && moment !== 'file') {
        await page.until(() => rankOf(page.jobs.get(id)) >= rank)
        return
      }
      const ending = moment === 'part' ? /\.part$/ : /\.webp$/
      const watcher = watch(join(dataDir, 'clips'))
      try {
        await new Promise<void>((resolve) => watcher.on('change', (_, name) => ending.test(String(name)) && resolve()))
      } finally {
        watcher.close()
      }
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL')
      await ended
      await page.close()
    },
    async close(): Promise<void> {
      child.kill('SIGTERM')
      await ended
      await page.close()
    },
  }
}
export type FaultHost = Awaited<ReturnType<typeof startFaultHost>>

export const namesIn = (...folder: string[]): string[] => readdirSync(join(...folder))
