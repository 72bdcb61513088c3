import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultCompute } from '#app/contract/compute.ts'
import type { TextToVideoSettings } from '#app/contract/pipelines/text-to-video.ts'
import { testSettings } from '#app/library/test-results.ts'
import type { Served } from '#main/serve/serve.ts'
import { ask, connect, createTestHost, openPage, snapshotOf, type Page, type TestHost } from './testing.ts'

let host: TestHost
let served: Served
let cookie: string
let page: Page
const enter = async (): Promise<void> => {
  ;({ served, cookie, page } = await openPage(host))
}
const restart = async (): Promise<void> => {
  await served.close()
  await page.close()
  await enter()
}
beforeAll(async () => {
  host = createTestHost()
  await enter()
})
afterAll(async () => {
  await page.close()
  await host.close()
})

const generate = async (change: Partial<TextToVideoSettings> = {}): Promise<string> =>
  (await page.client.run({ pipeline: 'text-to-video', settings: { ...testSettings, ...change } })).jobId
const runAgain = async (jobId: string): Promise<string> => (await page.client.runAgain({ jobId })).jobId
const problemOf = (code: string) => ({ code: 'PROBLEM', defined: true, data: { code } })

test('the running job is interrupted, the waiting one runs, results and settings are there', async () => {
  const { resultId } = await page.untilJob(await generate(), 'done')
  await page.client.saveSettings({ ...snapshotOf(page).settings, modelFolders: [host.root], memoryBudgetMiB: 999 })
  const running = await generate({ prompt: 'slow' })
  await page.untilJob(running, 'running')
  const waiting = await generate({ prompt: 'after the restart' })
  await page.untilJob(waiting, 'queued')
  await restart()
  expect(page.jobs.get(running)).toMatchObject({ status: 'interrupted', problem: { code: 'engine-lost' } })
  expect((await page.untilJob(waiting, 'done')).title).toBe('after the restart')
  expect(snapshotOf(page).settings).toMatchObject({ modelFolders: [host.root], memoryBudgetMiB: 999 })
  expect(snapshotOf(page).results.map(({ id }) => id)).toContain(resultId)
  expect(snapshotOf(page).notices).toEqual([])

  const again = await runAgain(running)
  await page.untilJob(again, 'running')
  expect(page.jobs.get(again)).toMatchObject({ title: 'slow', totalSteps: testSettings.numInferenceSteps })
  await expect(runAgain(running)).rejects.toMatchObject(problemOf('not-found'))
  await expect(runAgain(again)).rejects.toMatchObject(problemOf('bad-input'))
  await expect(runAgain(waiting)).rejects.toMatchObject(problemOf('bad-input'))
  await page.client.cancel({ jobId: again })
  await page.untilJob(again, 'cancelled')
})

test('a classification that the engine did not survive is run again, also after a restart, with the file that was sent', async () => {
  const answer = await ask(served.port, '/media/uploads?name=die.mp4', {
    method: 'POST',
    body: Buffer.from('a clip'),
    headers: { cookie, origin: `http://127.0.0.1:${served.port}` },
  })
  const source = JSON.parse(answer.text) as { uploadId: string }
  const settings = { model: 'judge', sampling: { kind: 'even' as const }, topK: 5, compute: defaultCompute }
  const first = (await page.client.run({ pipeline: 'video-classification', settings, source })).jobId
  await page.untilJob(first, 'interrupted')
  const second = await runAgain(first)
  expect((await page.untilJob(second, 'interrupted')).title).toBe('die.mp4')
  await restart()
  const third = await runAgain(second)
  await page.untilJob(third, 'interrupted')
})

test('a job that failed in 8 bits is run again in float32', async () => {
  const compute = { provider: 'cpu', precision: 'int8', exact: false } as const
  const failed = await generate({ prompt: 'coarse', compute })
  await page.untilJob(failed, 'failed')
  const { jobId } = await page.client.runAgain({ jobId: failed, precision: 'float32' })
  const { resultId } = await page.untilJob(jobId, 'done')
  const made = page.events.find((event) => event.type === 'result-added' && event.result.id === resultId)
  const settings = { prompt: 'coarse', compute: { ...compute, precision: 'float32' } }
  expect(made).toMatchObject({ result: { recipe: { settings } } })
})

test('a page that comes later hears that the models were looked for', async () => {
  await page.client.refreshModels()
  const later = await connect(served.port, cookie)
  const first = await later.until(() => later.events[0])
  expect(first).toMatchObject({ type: 'snapshot', modelsKnown: true })
  expect((first as ReturnType<typeof snapshotOf>).models.length).toBeGreaterThan(0)
  await later.close()
})
