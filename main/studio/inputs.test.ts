import { createHash } from 'node:crypto'
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

const base = { model: 'painter', prompt: 'a boat', numInferenceSteps: 4 }
const settings = { ...defaultSettings('image-to-image'), ...base }
const send = (body: Buffer, name: string) => {
  const headers = { cookie, origin: `http://127.0.0.1:${served.port}`, 'content-length': body.length }
  return ask(served.port, `/media/inputs?name=${name}`, { method: 'POST', headers, body })
}
const gone = { sha256: '0'.repeat(64), name: 'gone.png' }

test('a picture that is sent goes into a run by its content, and comes back with its type', async () => {
  const body = Buffer.from('\x89PNG\r\n\x1a\n and the rest', 'latin1')
  const image = JSON.parse((await send(body, 'cat.png')).text) as typeof gone
  expect(image).toEqual({ sha256: createHash('sha256').update(body).digest('hex'), name: 'cat.png' })
  const shown = await ask(served.port, `/media/inputs/${image.sha256}`, { headers: { cookie } })
  expect([shown.status, shown.headers['content-type'], shown.body]).toEqual([200, 'image/png', body])

  const { jobId } = await page.client.run({ pipeline: 'image-to-image', settings: { ...settings, image } })
  const done = await page.untilJob(jobId, 'done', 'failed')
  expect(done).toMatchObject({ status: 'done', totalSteps: 4 })
  const event = page.events.find((one) => one.type === 'result-added' && one.result.id === done.resultId)
  expect(event).toMatchObject({ result: { kind: 'still', recipe: { settings: { image, strength: 0.8 } } } })
})

test('a still of the library is kept as what a run reads, though the still is deleted', async () => {
  const { jobId } = await page.client.run({
    pipeline: 'text-to-image',
    settings: { ...defaultSettings('text-to-image'), ...base },
  })
  const { resultId } = await page.untilJob(jobId, 'done')
  const image = await page.client.keepAsInput({ id: resultId! })
  expect(image.name).toBe('a boat.webp')
  await page.client.deleteResult({ id: resultId! })
  expect(await page.client.missingInputs([image, gone])).toEqual([gone])
  const again = await page.client.run({ pipeline: 'image-to-image', settings: { ...settings, image } })
  await page.untilJob(again.jobId, 'done')
})

test('a picture that is not here any more is told of in words, at its field', async () => {
  const image = gone
  await expect(page.client.run({ pipeline: 'image-to-image', settings: { ...settings, image } })).rejects.toMatchObject(
    {
      data: {
        code: 'not-found',
        field: 'image',
        message: 'The file “gone.png” is not here any more. Choose it again.',
      },
    },
  )
  await expect(page.client.run({ pipeline: 'image-to-image', settings })).rejects.toMatchObject({
    data: { code: 'bad-input', field: 'image' },
  })
  for (const path of [gone.sha256, '../library.sqlite', 'x'])
    expect((await ask(served.port, `/media/inputs/${path}`, { headers: { cookie } })).status).toBe(404)
})
