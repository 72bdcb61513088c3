import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultCompute } from '#app/contract/compute.ts'
import { isFinished, type Job } from '#app/contract/jobs.ts'
import { setWriteFault } from '#app/files/write-fault.ts'
import { testSettings } from '#app/library/test-results.ts'
import type { Served } from '#main/serve/serve.ts'
import { ask, createTestHost, openPage, snapshotOf, type Page, type TestHost } from './testing.ts'

/** The host writes in this process, so a fault that is set here is its own; the engine's disk is sound. */
let host: TestHost
let served: Served
let cookie: string
let page: Page
const enter = async (): Promise<void> => {
  ;({ served, cookie, page } = await openPage(host))
}
beforeEach(async () => {
  host = createTestHost()
  await enter()
})
afterEach(async () => {
  setWriteFault()
  await page.close()
  await host.close()
})
const restart = async (): Promise<void> => {
  await served.close()
  await page.close()
  await enter()
}

const problem = (error: unknown) => (error as { data?: { code?: string; message?: string } }).data
const generate = async (prompt: string): Promise<string> =>
  (await page.client.run({ pipeline: 'text-to-video', settings: { ...testSettings, prompt } })).jobId
async function classify(): Promise<string> {
  const answer = await ask(served.port, '/media/uploads?name=a.mp4', {
    method: 'POST',
    body: Buffer.from('a clip'),
    headers: { cookie, origin: `http://127.0.0.1:${served.port}` },
  })
  if (answer.status !== 200) throw Object.assign(new Error(answer.text), { data: JSON.parse(answer.text) as unknown })
  const source = JSON.parse(answer.text) as { uploadId: string }
  const settings = { model: 'judge', sampling: { kind: 'even' as const }, topK: 5, compute: defaultCompute }
  return (await page.client.run({ pipeline: 'video-classification', settings, source })).jobId
}
const finished = (id: string): Promise<Job> =>
  page.until(() => {
    const job = page.jobs.get(id)
    return job && isFinished(job.status) && job
  })

const kinds = { 'a clip': () => generate('a star'), 'labels of a clip': classify }
const cases = Object.keys(kinds).flatMap((kind) =>
  ['ENOSPC', 'EIO'].flatMap((code) => ['', '-'].map((onward) => [kind, code, onward] as const)),
)

describe('a disk that fails at any write of a job', () => {
  test.each(cases)('%s, %s, %s', async (kind, code, onward) => {
    const start = kinds[kind as keyof typeof kinds]
    setWriteFault()
    await finished(await start())
    const writes = setWriteFault()
    expect(writes).toBeGreaterThanOrEqual(4)
    const done = new Set([...page.jobs.values()].map((job) => job.resultId))
    const failed = new Set<string>()
    for (let n = 0; n < writes; n++) {
      setWriteFault(`${code}:${n}${onward}`)
      try {
        const job = await finished(await start())
        if (job.status === 'done') done.add(job.resultId)
        else {
          expect([n, job.status, job.problem?.code]).toEqual([n, 'failed', 'disk'])
          expect(job.problem?.message).toMatch(code === 'EIO' ? /disk reported an error/ : /disk is full/)
          failed.add(job.id)
        }
      } catch (error) {
        expect([n, problem(error)?.code]).toEqual([n, 'disk'])
        expect(problem(error)?.message).toMatch(code === 'EIO' ? /disk reported an error/ : /disk is full/)
      }
    }
    setWriteFault()
    await restart()
    expect(new Set(snapshotOf(page).results.map(({ id }) => id))).toEqual(done)
    expect(new Set(snapshotOf(page).jobs.map(({ id, status }) => (expect(status).toBe('failed'), id)))).toEqual(failed)
    expect(snapshotOf(page).notices).toEqual([])
    const names = ['clips', 'classifications'].flatMap((folder) => readdirSync(join(host.root, 'data', folder)))
    expect(names).toHaveLength(done.size)
  })
})

test('on a full disk jobs are refused in words, running ones end, clips can be deleted, and pages are told', async () => {
  const { resultId } = await page.untilJob(await generate('kept'), 'done')
  const running = await generate('slow')
  const waiting = await generate('next')
  await page.untilJob(running, 'running')
  setWriteFault('ENOSPC:0-')
  await page.client.cancel({ jobId: running })
  await page.untilJob(running, 'cancelled')
  const last = await page.untilJob(waiting, 'done')
  const notice = await page.until(() => page.events.find((event) => event.type === 'notice'))
  expect(notice).toMatchObject({ message: expect.stringMatching(/cannot be written: the disk is full/) as string })
  await expect(generate('one more')).rejects.toMatchObject({ data: { code: 'disk' } })
  await expect(page.client.saveSettings(snapshotOf(page).settings)).rejects.toMatchObject({ data: { code: 'disk' } })
  await page.client.deleteResult({ id: resultId! })
  expect(readdirSync(join(host.root, 'data/clips'))).toEqual([`${last.resultId}.webp`])
  setWriteFault()
  await restart()
  expect(snapshotOf(page)).toMatchObject({ jobs: [], results: [{ id: last.resultId }], notices: [] })
})

test('a job that cannot be put in the queue again stays on the list', async () => {
  const refused = await generate('refuse')
  await page.untilJob(refused, 'failed')
  setWriteFault('ENOSPC:0-')
  await expect(page.client.runAgain({ jobId: refused })).rejects.toMatchObject({ data: { code: 'disk' } })
  setWriteFault()
  const again = await page.client.runAgain({ jobId: refused })
  await page.untilJob(again.jobId, 'failed')
})

test('half a file of an engine that died goes while the studio runs', async () => {
  await page.untilJob(await generate('halve'), 'interrupted')
  await vi.waitUntil(() => readdirSync(join(host.root, 'data/clips')).length === 0, { timeout: 300_000 })
})

test('a clip that an engine wrote before it died is the job’s', async () => {
  const job = await finished(await generate('end'))
  expect(job).toMatchObject({ status: 'done', title: 'end' })
  expect(readdirSync(join(host.root, 'data/clips'))).toEqual([`${job.resultId}.webp`])
  expect(page.events.find((event) => event.type === 'result-added')).toMatchObject({ result: { id: job.resultId } })
  expect(readFileSync(join(host.root, 'data/logs/frameloom.log'), 'utf8')).toContain('engine process ended')
})
