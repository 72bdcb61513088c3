import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { rawFramesHeader } from '#app/contract/media-routes.ts'
import type { TextToVideoSettings } from '#app/contract/pipelines/text-to-video.ts'
import { newId } from '#app/library/ids.ts'
import { testSettings } from '#app/library/test-results.ts'
import type { Served } from '#main/serve/serve.ts'
import { readOwnRecipe } from './read-recipe.ts'
import { ask, connect, createTestHost, openPage, snapshotOf, type Page, type TestHost } from './testing.ts'

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

const generate = async (change: Partial<TextToVideoSettings> = {}): Promise<string> =>
  (await page.client.run({ pipeline: 'text-to-video', settings: { ...testSettings, ...change } })).jobId
const get = (path: string) => ask(served.port, path, { headers: { cookie } })
const post = (path: string, body: Uint8Array, headers: Record<string, string> = {}) =>
  ask(served.port, path, {
    method: 'POST',
    body,
    headers: { cookie, origin: `http://127.0.0.1:${served.port}`, ...headers },
  })
const problemOf = (code: string, more: object = {}) => ({ code: 'PROBLEM', defined: true, data: { code, ...more } })
const judge = { model: 'judge', sampling: { kind: 'even' as const }, topK: 5 }

describe('events', () => {
  test('begin with a snapshot, in which no model says where it is', () => {
    expect(snapshotOf(page)).toMatchObject({
      appVersion: '0.1.0',
      jobs: [],
      results: [],
      settings: { theme: 'system' },
    })
    const models = page.events.flatMap((event) => ('models' in event ? event.models : []))
    expect(models.map((model) => model.id)).toContain('painter')
    expect(JSON.stringify(page.events)).not.toContain('/secret/place')
  })

  test('reach every page; one that leaves is forgotten', async () => {
    const other = await connect(served.port, cookie)
    const settings = { ...snapshotOf(page).settings, theme: 'light' as const }
    await page.client.saveSettings(settings)
    for (const one of [page, other]) {
      expect(await one.until(() => one.events.find((event) => event.type === 'settings'))).toEqual({
        type: 'settings',
        settings,
      })
    }
    await other.close()
    await page.client.saveSettings({ ...settings, theme: 'dark' })
  })
})

describe('a clip', () => {
  test('is made, told, kept with its recipe, and served', async () => {
    const jobId = await generate()
    const done = await page.untilJob(jobId, 'done')
    expect(done).toMatchObject({
      title: testSettings.prompt,
      step: 4,
      totalSteps: 4,
      progress: 1,
      notes: ['The end of the prompt did not fit.'],
    })
    expect(done).not.toHaveProperty('secondsLeft')
    const order = page.events.map((event) => (event.type === 'job' ? event.job.status : event.type))
    expect(order.indexOf('result-added')).toBeLessThan(order.indexOf('done'))
    const clip = await get(`/media/clips/${done.resultId}.webp`)
    expect([clip.status, clip.headers['content-type'], clip.headers['x-content-type-options']]).toEqual([
      200,
      'image/webp',
      'nosniff',
    ])
    const copy = join(host.root, 'copy.webp')
    writeFileSync(copy, clip.body)
    expect(await readOwnRecipe(copy)).toMatchObject({ settings: testSettings, appVersion: '0.1.0' })
    const preview = await get(`/media/previews/${jobId}?step=4`)
    expect(JSON.parse(String(preview.headers[rawFramesHeader]))).toEqual({ width: 4, height: 4, count: 8 })
    expect(preview.body).toEqual(Buffer.alloc(4 * 4 * 3 * 8, 128))
  })

  test('is exported, with a name made of its prompt, and nothing stays behind', async () => {
    const { resultId } = await page.untilJob(await generate({ prompt: 'A red circle, größer!' }), 'done')
    const gif = await get(`/media/clips/${resultId}/export.gif`)
    expect([gif.status, gif.text, gif.headers['content-type']]).toEqual([200, 'a gif file', 'image/gif'])
    expect(gif.headers['content-disposition']).toBe('attachment; filename="a-red-circle-gro-er.gif"')
    const png = await get(`/media/clips/${resultId}/export.png`)
    expect(Object.keys(unzipSync(png.body))).toEqual(['frame-0001.png', 'frame-0002.png'])
    expect((await get(`/media/clips/${resultId}/export.exe`)).status).toBe(404)
    const left = () => readdirSync(join(host.root, 'data/scratch')).filter((name) => name !== 'door.sock')
    await vi.waitUntil(() => left().length === 0, { timeout: 300_000 })
  })

  test('is deleted with its file', async () => {
    const { resultId } = await page.untilJob(await generate(), 'done')
    await page.client.deleteResult({ id: resultId! })
    await page.until(() => page.events.some((event) => event.type === 'result-removed' && event.id === resultId))
    expect((await get(`/media/clips/${resultId}.webp`)).status).toBe(404)
    expect(readdirSync(join(host.root, 'data/clips'))).not.toContain(`${resultId}.webp`)
    await expect(page.client.deleteResult({ id: resultId! })).rejects.toMatchObject(problemOf('not-found'))
    await page.client.restoreResult({ id: resultId! })
    await page.until(
      () => page.events.filter((event) => 'result' in event && event.result.id === resultId).length === 2,
    )
    expect((await get(`/media/clips/${resultId}.webp`)).status).toBe(200)
    await expect(page.client.restoreResult({ id: resultId! })).rejects.toMatchObject(problemOf('not-found'))
    await expect(page.client.deleteResult({ id: '../../secret' })).rejects.toMatchObject(problemOf('not-found'))
  })
})

test.each<[string, Partial<TextToVideoSettings>, string]>([
  ['model', { model: 'nothing' }, 'bad-input'],
  ['model', { model: 'motion' }, 'bad-input'],
  ['model', { model: 'broken', motionAdapter: null }, 'bad-model'],
  ['motionAdapter', { motionAdapter: null }, 'bad-input'],
  ['motionAdapter', { motionAdapter: 'wide-motion' }, 'bad-input'],
  ['motionAdapter', { motionAdapter: 'painter' }, 'bad-input'],
  ['motionAdapter', { model: 'mover' }, 'bad-input'],
  ['width', { width: 60 }, 'bad-input'],
  ['height', { model: 'mover', motionAdapter: null, height: 72 }, 'bad-input'],
  ['numFrames', { numFrames: 25 }, 'bad-input'],
  ['numFrames', { model: 'mover', motionAdapter: null, numFrames: 17 }, 'bad-input'],
  ['guidanceScale', { guidanceScale: -1 }, 'bad-input'],
  ['loras', { loras: [{ id: 'motion', scale: 1 }] }, 'bad-input'],
  ['loras', { loras: [1, 2].map((scale) => ({ id: 'style', scale })) }, 'bad-input'],
  ['attnProcessor', { attnProcessor: { processor: 'CustomDiffusionAttnProcessor', weights: '/a.bin' } }, 'bad-input'],
  ['attnProcessor', { attnProcessor: { processor: 'CustomDiffusionAttnProcessor', weights: 'a.bin' } }, 'bad-input'],
  [
    'attnProcessor',
    { attnProcessor: { 'a.processor': { processor: 'CustomDiffusionAttnProcessor', weights: 'style' } } },
    'bad-input',
  ],
  ['fuseQkv', { attnProcessor: { processor: 'AttnProcessor' }, fuseQkv: true }, 'bad-input'],
  ['freeu.s1', { freeu: { s1: 5, s2: 1, b1: 1, b2: 1 } }, 'bad-input'],
])('a request with a bad %s names it: %j', async (field, change, code) => {
  await expect(generate(change)).rejects.toMatchObject(problemOf(code, { field }))
})

describe('a job', () => {
  test('that reports ten thousand steps at once is told of a few', async () => {
    const before = page.events.length
    await page.untilJob(await generate({ prompt: 'burst' }), 'done')
    const told = page.events.slice(before).filter((event) => event.type === 'job').length
    expect(told).toBeLessThanOrEqual(1000)
  })

  test('waits for the one before it; both can be cancelled', async () => {
    const running = await generate({ prompt: 'slow' })
    const waiting = await generate()
    await page.untilJob(running, 'running')
    expect(page.jobs.get(waiting)?.status).toBe('queued')
    await expect(page.client.dismiss({ jobId: running })).rejects.toMatchObject(problemOf('bad-input'))
    await page.client.cancel({ jobId: waiting })
    expect((await page.untilJob(waiting, 'cancelled')).problem).toBeUndefined()
    const next = await generate()
    await page.client.cancel({ jobId: running })
    expect((await page.untilJob(running, 'cancelled')).stage).toBe('Cancelled')
    await page.untilJob(next, 'done')
    await page.client.dismiss({ jobId: running })
    await page.until(() => page.events.some((event) => event.type === 'job-removed' && event.id === running))
    await expect(page.client.cancel({ jobId: running })).rejects.toMatchObject(problemOf('not-found'))
  })

  test('that was cancelled waits again in its place when that is undone, and is made', async () => {
    const running = await generate({ prompt: 'slow' })
    const waiting = await generate({ prompt: 'first', seed: 41 })
    const last = await generate({ prompt: 'last' })
    await page.untilJob(running, 'running')
    await expect(page.client.undoCancel({ jobId: waiting })).rejects.toMatchObject(problemOf('bad-input'))
    await page.client.cancel({ jobId: waiting })
    await page.untilJob(waiting, 'cancelled')
    await page.client.undoCancel({ jobId: waiting })
    expect(await page.untilJob(waiting, 'queued')).toMatchObject({ seed: 41, step: 0, progress: 0, stage: 'Waiting' })

    // A running one has ended by the time that is answered, so it can be put back at once, before all others.
    await page.client.cancel({ jobId: running })
    await page.client.undoCancel({ jobId: running })
    await page.untilJob(running, 'queued')
    await page.untilJob(running, 'running')
    await page.client.cancel({ jobId: running })
    await page.untilJob(last, 'done')
    expect(page.jobs.get(waiting)?.status).toBe('done')
    expect(page.jobs.get(running)?.status).toBe('cancelled')
  })

  test('takes FreeU while it waits and while it runs, not after', async () => {
    const freeu = { b1: 1.5, b2: 1.6, s1: 0.9, s2: 0 }
    const running = await generate({ prompt: 'slow' })
    const waiting = await generate()
    await page.untilJob(running, 'running')
    for (const jobId of [running, waiting]) await page.client.setControls({ jobId, freeu })
    await page.until(() => page.jobs.get(running)?.freeu?.s2 === 0 && page.jobs.get(waiting)?.freeu?.s2 === 0)
    await page.client.cancel({ jobId: running })
    const { resultId } = await page.untilJob(waiting, 'done')
    const result = page.events.find((event) => event.type === 'result-added' && event.result.id === resultId)
    expect(result).toMatchObject({ result: { recipe: { settings: { freeu } } } })
    await expect(page.client.setControls({ jobId: waiting, freeu })).rejects.toMatchObject(problemOf('bad-input'))
  })

  test('takes the scales of its LoRAs in the same way, and no others', async () => {
    const loras = [{ id: 'style', scale: 1 }]
    const running = await generate({ prompt: 'slow', loras })
    const waiting = await generate({ loras })
    await page.untilJob(running, 'running')
    expect(page.jobs.get(running)).toMatchObject({ loraScales: { style: 1 }, loraScalesUsed: { style: 1 } })
    for (const jobId of [running, waiting]) await page.client.setControls({ jobId, loraScales: { style: 0.25 } })
    await page.until(() => [running, waiting].every((id) => page.jobs.get(id)?.loraScales['style'] === 0.25))
    const stranger = page.client.setControls({ jobId: running, loraScales: { other: 1 } })
    await expect(stranger).rejects.toMatchObject(problemOf('bad-input', { field: 'loras' }))
    await page.client.cancel({ jobId: running })
    const { resultId } = await page.untilJob(waiting, 'done')
    const result = page.events.find((event) => event.type === 'result-added' && event.result.id === resultId)
    expect(result).toMatchObject({ result: { recipe: { settings: { loras: [{ id: 'style', scale: 0.25 }] } } } })
    expect(result).not.toHaveProperty('result.recipe.settings.loraScales')
  })

  test('whose engine dies is interrupted and says so; the next one works', async () => {
    const dying = await generate({ prompt: 'die' })
    const next = await generate()
    const { problem, step } = await page.untilJob(dying, 'interrupted')
    expect(problem?.code).toBe('engine-lost')
    expect(step).toBe(2)
    await page.untilJob(next, 'done')
    expect(page.events.some((event) => event.type === 'engine' && event.engine.state === 'restarting')).toBe(true)
    expect(readdirSync(join(host.root, 'data/clips')).filter((name) => !name.endsWith('.webp'))).toEqual([])
  })

  test('that fails keeps its problem', async () => {
    const failed = await page.untilJob(await generate({ prompt: 'refuse' }), 'failed')
    expect(failed.problem).toEqual({ code: 'bad-model', message: 'the weights are gone' })
  })
})

describe('classifying', () => {
  const classify = async (source: { uploadId: string } | { clipId: string }) => {
    const done = await page.untilJob(
      (await page.client.run({ pipeline: 'video-classification', settings: judge, source })).jobId,
      'done',
      'failed',
    )
    const event = page.events.find((event) => event.type === 'result-added' && event.result.id === done.resultId)
    if (event?.type !== 'result-added' || event.result.kind !== 'classification')
      throw new Error(`no result: ${done.problem?.message}`)
    return event.result
  }

  test('a whole file, twice, and its frames are kept', async () => {
    const { uploadId } = JSON.parse(
      (await post('/media/uploads?name=..%2F%2e%2e%2fmy%20clip.mp4', Buffer.from('a clip'))).text,
    ) as { uploadId: string }
    const result = await classify({ uploadId })
    expect(result).toMatchObject({ title: 'my clip.mp4', classification: { labels: [{ label: 'a file' }] } })
    expect(result).not.toHaveProperty('clipId')
    const frames = await get(`/media/frames/${result.id}`)
    expect(JSON.parse(String(frames.headers[rawFramesHeader]))).toEqual({ width: 4, height: 4, count: 2 })
    expect(frames.body).toEqual(Buffer.alloc(96, 128))
    expect((await classify({ uploadId })).id).not.toBe(result.id)
  })

  test('frames that the page decoded', async () => {
    const header = {
      [rawFramesHeader]: JSON.stringify({ width: 2, height: 2, count: 3, indices: [0, 4, 8], frameCount: 9 }),
    }
    const { uploadId } = JSON.parse((await post('/media/frames?name=a.webm', Buffer.alloc(36), header)).text) as {
      uploadId: string
    }
    expect((await classify({ uploadId })).classification.labels[0]?.label).toBe('36 bytes')
    for (const [body, headers] of [
      [35, header],
      [37, header],
      [36, {}],
      [36, { [rawFramesHeader]: '{"width":-1}' }],
      [36, { [rawFramesHeader]: 'x' }],
      [36, { [rawFramesHeader]: JSON.stringify({ width: 1e6, height: 1e6, count: 1 }) }],
    ] as const) {
      const answer = await post('/media/frames', Buffer.alloc(body), headers)
      expect([answer.status, answer.text.includes('uploadId')]).toEqual([400, false])
    }
  })

  test('a clip of the library', async () => {
    const { resultId } = await page.untilJob(await generate(), 'done')
    expect(await classify({ clipId: resultId! })).toMatchObject({ clipId: resultId, title: testSettings.prompt })
  })

  test('what is not there is named', async () => {
    for (const source of [{ clipId: newId() }, { uploadId: newId() }, { uploadId: '../../secret' }, { clipId: '..' }]) {
      await expect(
        page.client.run({ pipeline: 'video-classification', settings: judge, source }),
      ).rejects.toMatchObject(problemOf('not-found', { field: 'source' }))
    }
    await expect(
      page.client.run({
        pipeline: 'video-classification',
        settings: { ...judge, model: 'painter' },
        source: { clipId: newId() },
      }),
    ).rejects.toMatchObject(problemOf('bad-input', { field: 'model' }))
  })

  test('an upload that is too large is refused before it is read, an empty one after', async () => {
    const large = await ask(served.port, '/media/uploads', {
      method: 'POST',
      headers: { cookie, origin: `http://127.0.0.1:${served.port}`, 'content-length': String(3 * 2 ** 30) },
    }).catch((error: unknown) => error)
    expect(large).toMatchObject({ status: 413 })
    expect((await post('/media/uploads', Buffer.alloc(0))).status).toBe(400)
    expect((await post('/media/uploads', Buffer.from('x'), { origin: 'null' })).status).toBe(403)
    expect(readdirSync(join(host.root, 'data/uploads')).filter((name) => name.endsWith('.part'))).toEqual([])
  })
})

test('settings: a folder that is none is named, one that was there before is not asked for again', async () => {
  const settings = { ...snapshotOf(page).settings, modelFolders: ['/does/not/exist'] }
  await expect(page.client.saveSettings(settings)).rejects.toMatchObject(
    problemOf('bad-input', { field: 'modelFolders' }),
  )
  const relative = page.client.saveSettings({ ...settings, modelFolders: ['models'] })
  await expect(relative).rejects.toMatchObject(problemOf('bad-input'))
  await page.client.saveSettings({ ...settings, modelFolders: [host.root], memoryBudgetMiB: 999 })
  await page.client.refreshModels()
})

test('the log has no prompt and no stack reaches a page', () => {
  const log = readFileSync(join(host.root, 'data/logs/frameloom.log'), 'utf8')
  expect(log).toContain('engine ready')
  expect(log).not.toContain('red circle')
  expect(JSON.stringify(page.events)).not.toMatch(/\bat .*\.ts:\d/)
})

describe('processor maps', () => {
  const processors = { 'a.processor': { processor: 'SlicedAttnProcessor', slice_size: 2 } } as const
  const told = () =>
    page.events.findLast((event) => event.type === 'processor-maps')?.processorMaps.map(({ name }) => name)

  test('are saved, renamed and deleted, and every page is told', async () => {
    await page.client.saveProcessorMap({ name: ' low memory ', processors, replace: false })
    await page.until(() => told()?.join() === 'low memory')
    const again = page.client.saveProcessorMap({ name: 'LOW memory', processors, replace: false })
    await expect(again).rejects.toMatchObject(problemOf('bad-input', { field: 'name' }))
    await page.client.renameProcessorMap({ name: 'low memory', to: 'lean' })
    await page.until(() => told()?.join() === 'lean')
    const other = await connect(served.port, cookie)
    const first = await other.until(() => other.events[0])
    expect(first).toMatchObject({ type: 'snapshot', processorMaps: [{ name: 'lean', processors }] })
    await other.close()
    await page.client.deleteProcessorMap({ name: 'lean' })
    await page.until(() => told()?.length === 0)
    await expect(page.client.deleteProcessorMap({ name: 'lean' })).rejects.toMatchObject(problemOf('not-found'))
    const unnamed = page.client.saveProcessorMap({ name: '  ', processors, replace: false })
    await expect(unnamed).rejects.toMatchObject(problemOf('bad-input', { field: 'name' }))
  })
})

describe('a model', () => {
  test('tells what its files hold and what may be trained, by its id alone', async () => {
    expect(await page.client.inspectModel({ id: 'broken' })).toMatchObject({ kind: 'for tests' })
    await expect(page.client.inspectModel({ id: '/etc' })).rejects.toMatchObject(problemOf('bad-input'))
    const pair = { model: 'painter', motionAdapter: 'motion' }
    expect(await page.client.freezeUnet2d(pair)).toMatchObject({ frozenParameters: 1 })
    expect(await page.client.attnProcessors(pair)).toEqual({})
    const misfit = page.client.freezeUnet2d({ model: 'painter', motionAdapter: 'wide-motion' })
    await expect(misfit).rejects.toMatchObject(problemOf('bad-input', { field: 'motionAdapter' }))
  })

  test('has its motion modules written below the data folder, and nowhere else', async () => {
    const save = (name: string) => page.client.saveMotionModules({ model: 'motion', motionAdapter: null, name })
    expect(await save('mine')).toEqual({ location: join(host.root, 'data/models/mine') })
    for (const name of ['../mine', 'a/b', '..'])
      await expect(save(name)).rejects.toMatchObject(problemOf('bad-input', { field: 'name' }))
  })
})
