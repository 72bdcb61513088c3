import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { testSettings } from '#app/library/test-results.ts'
import { bundledModelsDir, enginePath } from '#main/paths.ts'
import { connect, createTestHost, type Page, type TestHost } from './testing.ts'

let host: TestHost
let page: Page
beforeEach(async () => {
  vi.stubEnv('FRAMELOOM_FAULT', 'exit:start')
  host = createTestHost()
  const modelRoots = () => [{ folder: bundledModelsDir(), source: 'bundled' as const }]
  const served = await host.start({ enginePath: enginePath(), modelRoots })
  page = await connect(served.port, await host.enter(served))
})
afterEach(async () => {
  await page.close()
  await host.close()
  vi.unstubAllEnvs()
})

test('an engine that never started is what Generate tells of, and one that starts again finds the models', async () => {
  await page.until(() => page.events.some((event) => event.type === 'engine' && event.engine.state === 'stopped'))
  const run = () =>
    page.client.run({ pipeline: 'text-to-video', settings: { ...testSettings, model: 'moving-shapes' } })
  await expect(run()).rejects.toMatchObject({
    data: { code: 'engine-lost', message: expect.stringMatching(/^The engine is off.*Restart.*exit code 7/) as string },
  })
  await expect(page.client.inspectModel({ id: 'moving-shapes' })).rejects.toMatchObject({
    data: { code: 'engine-lost' },
  })
  vi.unstubAllEnvs()
  await page.client.restartEngine()
  await page.until(() => page.events.some((event) => event.type === 'models' && event.models.length > 0))
  expect(await page.client.inspectModel({ id: 'moving-shapes' })).toMatchObject({ kind: expect.any(String) as string })
})
