import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultSettings } from '#app/contract/pipelines.ts'
import type { Served } from '#main/serve/serve.ts'
import { ask, createTestHost, openPage, type Page, type TestHost } from './testing.ts'

let host: TestHost
let served: Served
let cookie: string
let page: Page
beforeAll(async () => {
  host = createTestHost()
  ;({ served, cookie, page } = await openPage(host))
})
afterAll(async () => {
  await page.close()
  await host.close()
})

const settings = { ...defaultSettings('text-to-image'), model: 'painter', prompt: 'a boat', numInferenceSteps: 3 }
const draw = async (change: Partial<typeof settings> = {}): Promise<string> =>
  (await page.client.run({ pipeline: 'text-to-image', settings: { ...settings, ...change } })).jobId

test('a still is made, kept as one picture with its recipe, and exported as one file', async () => {
  const done = await page.untilJob(await draw(), 'done')
  expect(done).toMatchObject({ pipeline: 'text-to-image', title: 'a boat', totalSteps: 3 })
  const event = page.events.find((one) => one.type === 'result-added' && one.result.id === done.resultId)
  expect(event).toMatchObject({
    result: {
      kind: 'still',
      numFrames: 1,
      recipe: { pipeline: 'text-to-image', models: { model: [{ id: 'painter' }] } },
    },
  })
  const exported = await ask(served.port, `/media/clips/${done.resultId}/export.webp`, { headers: { cookie } })
  expect([exported.status, exported.headers['content-type']]).toEqual([200, 'image/webp'])
  expect(exported.headers['content-disposition']).toBe('attachment; filename="a-boat.webp"')
})

test('FreeU moves while it is made, and it is cancelled, as a clip is', async () => {
  const jobId = await draw({ prompt: 'slow' })
  await page.untilJob(jobId, 'running')
  const freeu = { b1: 1.5, b2: 1.6, s1: 0.9, s2: 0 }
  await page.client.setControls({ jobId, freeu })
  await page.until(() => page.jobs.get(jobId)?.freeu?.s2 === 0)
  await page.client.cancel({ jobId })
  await page.untilJob(jobId, 'cancelled')
})

test('a model that makes clips only is refused at its field', async () => {
  await expect(draw({ model: 'mover' })).rejects.toMatchObject({ data: { code: 'bad-input', field: 'model' } })
})
