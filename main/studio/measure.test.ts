import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testSettings } from '#app/library/test-results.ts'
import { createTestHost, openPage, type Page, type TestHost } from './testing.ts'

let host: TestHost
let page: Page
beforeAll(async () => {
  host = createTestHost()
  ;({ page } = await openPage(host))
})
afterAll(async () => {
  await page.close()
  await host.close()
})

const problemOf = (code: string, more: object = {}) => ({ code: 'PROBLEM', defined: true, data: { code, ...more } })

describe('measuring', () => {
  const settings = { ...testSettings, model: 'painter', motionAdapter: 'motion' }
  const run = { pipeline: 'text-to-video' as const, settings }

  test('tells how far it is, ends with what it found, and stops when nobody listens', async () => {
    const events = []
    for await (const event of await page.client.profile(run)) events.push(event)
    expect(events[0]).toEqual({ type: 'stage', stage: 'Running the model', progress: 0.5 })
    const { width, height, numFrames } = settings
    expect(events.at(-1)).toMatchObject({
      type: 'done',
      result: { className: 'UNetMotionModel', settings: { width, height, numFrames, batch: 2 } },
    })
    const stopping = new AbortController()
    const endless = await page.client.autotune(
      { run: { ...run, settings: { ...settings, numFrames: 15 } }, memoryBytes: null },
      { signal: stopping.signal },
    )
    const listening = (async () => {
      for await (const _ of endless) stopping.abort()
    })()
    await expect(listening).rejects.toThrow()
    // The engine has ended it, and is free for the next.
    for await (const event of await page.client.autotune({ run, memoryBytes: 1000 })) events.push(event)
    expect(events.at(-1)).toMatchObject({
      type: 'done',
      result: { advised: 'Fastest', settings: { memoryBytes: 1000 } },
    })
  })

  test('keeps what was chosen for a model and size', async () => {
    const measured = { milliseconds: 10, peakBytes: 1000 }
    const tuning = {
      name: 'Fastest',
      attnProcessor: null,
      forwardChunking: { chunkSize: 4, dim: 0 as const },
      measured,
    }
    expect(await page.client.keptTuning(run)).toBeNull()
    await page.client.keepTuning({ run, tuning })
    expect(
      await page.client.keptTuning({ ...run, settings: { ...settings, prompt: 'another', seed: 4 } }),
    ).toMatchObject(tuning)
    expect(await page.client.keptTuning({ ...run, settings: { ...settings, guidanceScale: 1 } })).toBeNull()
    const misfit = page.client.keptTuning({ ...run, settings: { ...settings, motionAdapter: 'wide-motion' } })
    await expect(misfit).rejects.toMatchObject(problemOf('bad-input', { field: 'motionAdapter' }))
  })
})
