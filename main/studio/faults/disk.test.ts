import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultCompute } from '#app/contract/compute.ts'
import { isFinished, type Job } from '#app/contract/jobs.ts'
import { setWriteFault } from '#app/files/write-fault.ts'
import { testSettings } from '#app/library/test-results.ts'
import type { Served } from '#main/serve/serve.ts'
import { ask, connect, createTestHost, openPage, snapshotOf, type Page, type TestHost } from '#main/studio/testing.ts'
import { isLong, report } from './test-long.ts'

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

const wordsOf = (code: string): RegExp => (code === 'EIO' ? /disk reported an error/ : /disk is full/)
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
          expect(job.problem?.message).toMatch(wordsOf(code))
          failed.add(job.id)
        }
      } catch (error) {
        expect([n, problem(error)?.code]).toEqual([n, 'disk'])
        expect(problem(error)?.message).toMatch(wordsOf(code))
      }
    }
    setWriteFault()
    await restart()
    expect(new Set(snapshotOf(page).results.map(({ id }) => id))).toEqual(done)
    expect(new Set(snapshotOf(page).jobs.map(({ id, status }) => (expect(status).toBe('failed'), id)))).toEqual(failed)
    expect(snapshotOf(page).notices).toEqual([])
    const names = ['clips', 'classifications'].flatMap((folder) => readdirSync(join(host.root, 'data', folder)))
    expect(names).toHaveLength(done.size)
    if (isLong) report(`${code}${onward} at each of ${writes} writes of the host for ${kind}`)
  })
})

type Snapshot = ReturnType<typeof snapshotOf>
const acts: Record<string, { act: (n: number) => Promise<unknown>; state: (seen: Snapshot) => unknown }> = {
  'a setting': {
    act: (n) => page.client.saveSettings({ ...snapshotOf(page).settings, memoryBudgetMiB: n }),
    state: ({ settings }) => settings.memoryBudgetMiB,
  },
  'a processor map': {
    act: (n) => {
      const processors = { processor: 'SlicedAttnProcessor', slice_size: n } as const
      return page.client.saveProcessorMap({ name: 'kept', processors, replace: true })
    },
    state: ({ processorMaps }) => (processorMaps[0]?.processors as { slice_size: number }).slice_size,
  },
}
const actCases = Object.keys(acts).flatMap((what) =>
  (isLong ? ['ENOSPC', 'ENOSPC-', 'EIO', 'EIO-'] : ['ENOSPC-', 'EIO']).map((fault) => [what, fault] as const),
)

describe('a disk that fails at any write of what somebody waits for', () => {
  test.each(actCases)('%s, %s', async (what, fault) => {
    const [code = '', onward = ''] = fault.split(/(?=-)/)
    const { act, state } = acts[what]!
    let expected = 1000
    await act(expected)
    setWriteFault()
    await act(++expected)
    const writes = setWriteFault()
    expect(writes).toBeGreaterThanOrEqual(1)
    for (let n = 0; n < writes; n++) {
      setWriteFault(`${code}:${n}${onward}`)
      const wanted = 2000 + n
      const refused = await act(wanted).then(() => undefined, problem)
      setWriteFault()
      if (!refused) expected = wanted
      else expect(refused).toMatchObject({ code: 'disk', message: expect.stringMatching(wordsOf(code)) as string })
      const other = await connect(served.port, cookie)
      await other.until(() => other.events[0])
      expect(state(snapshotOf(other)), `write ${n}`).toBe(expected)
      await other.close()
    }
    await restart()
    expect(state(snapshotOf(page))).toBe(expected)
    expect(snapshotOf(page).notices).toEqual([])
    if (isLong) report(`${fault} at each of ${writes} writes of the host for ${what}`)
  })

  test.each(['ENOSPC', 'EIO'])('%s: a clip is deleted all the same, and stays so', async (code) => {
    for (const [n, onward] of [0, 1, 2, 3].flatMap((n) => ['', '-'].map((onward) => [n, onward] as const))) {
      const { resultId } = await page.untilJob(await generate(`clip ${n}`), 'done')
      setWriteFault(`${code}:${n}${onward}`)
      await page.client.deleteResult({ id: resultId! })
      setWriteFault()
    }
    await restart()
    expect(snapshotOf(page).results).toEqual([])
    expect(readdirSync(join(host.root, 'data/clips'))).toEqual([])
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

test('half a file that a living engine could not remove goes with the end of its job', async () => {
  const engine = () => page.events.findLast((event) => event.type === 'engine')?.engine ?? snapshotOf(page).engine
  const pid = await page.until(() => engine().state === 'ready' && engine().pid)
  writeFileSync(join(host.root, 'data/clips', `${randomUUID()}.webp.${pid}-0badcafe.part`), 'half')
  await page.untilJob(await generate('a star'), 'done')
  await vi.waitUntil(() => readdirSync(join(host.root, 'data/clips')).length === 1, { timeout: 300_000 })
})

test('half a file that the disk did not let go of is tried again within a minute', async () => {
  const intervals = vi.spyOn(globalThis, 'setInterval')
  await restart()
  const minutely = intervals.mock.calls.filter(([, ms]) => ms! >= 10_000 && ms! <= 60_000)
  intervals.mockRestore()
  writeFileSync(join(host.root, 'data/clips', `${randomUUID()}.webp.999999-0badcafe.part`), 'half')
  for (const [tick] of minutely) tick()
  expect(readdirSync(join(host.root, 'data/clips'))).toEqual([])
})

test('a clip that an engine wrote before it died is the job’s', async () => {
  const job = await finished(await generate('end'))
  expect(job).toMatchObject({ status: 'done', title: 'end' })
  expect(readdirSync(join(host.root, 'data/clips'))).toEqual([`${job.resultId}.webp`])
  expect(page.events.find((event) => event.type === 'result-added')).toMatchObject({ result: { id: job.resultId } })
  expect(readFileSync(join(host.root, 'data/logs/frameloom.log'), 'utf8')).toContain('engine process ended')
})
