import { expect, test } from 'vitest'
import type { StudioEvent } from '#app/contract/studio.ts'
import { testJob } from '#app/library/test-library.ts'
import { testClassification } from '#app/library/test-results.ts'
import { createEventHub } from './event-hub.ts'
import { soundEvent } from './sound-event.ts'

const lines: object[] = []
const log = { info: () => {}, warn: () => {}, error: (fields: object) => lines.push(fields) }
const savedMap = { name: 'low', savedAt: 1, processors: { processor: 'AttnProcessor' as const } }
const job = testJob('done')
const snapshot = (change: object): StudioEvent => ({
  type: 'snapshot',
  appVersion: '1',
  jobs: [job],
  results: [testClassification('a', 'a')],
  models: [],
  modelsKnown: true,
  engine: {
    state: 'ready',
    recentCrashes: 0,
    provider: 'cpu',
    providers: ['cpu'],
    refusals: [],
    memory: { budgetBytes: 1, usedBytes: 0, residentBytes: 0, anonymousBytes: 0 },
    sessions: [],
    bytesMapped: 0,
    compilations: 0,
  },
  settings: { theme: 'dark', memoryBudgetMiB: 256, threads: null, modelFolders: [] },
  processorMaps: [savedMap],
  ...change,
})

test.each([
  ['jobs', [testJob('done', { progress: NaN })]],
  ['results', [{ ...testClassification('b', 'b'), title: 5 }]],
  ['models', [{ id: 'x' }]],
  ['processorMaps', [{ ...savedMap, name: '' }]],
])('one bad value of %s is left out of a snapshot, and logged', (key, bad) => {
  const good = snapshot({})
  expect(soundEvent(good, log)).toBe(good)
  const whole = (good as unknown as Record<string, object[]>)[key]!
  lines.length = 0
  expect(soundEvent(snapshot({ [key]: [...bad, ...whole] }), log)).toEqual(good)
  expect(lines).toEqual([expect.objectContaining({ event: 'snapshot', path: expect.stringContaining(key) as string })])
})

test('a page hears what follows an event that cannot be told', async () => {
  const hub = createEventHub(
    () => snapshot({}),
    (event) => soundEvent(event, log),
  )
  const events = hub.subscribe()
  expect((await events.next()).value).toMatchObject({ type: 'snapshot' })
  hub.publish({ type: 'job', job: testJob('done', { progress: NaN }) })
  hub.publish({ type: 'result-removed', id: 'a' })
  expect((await events.next()).value).toEqual({ type: 'result-removed', id: 'a' })
  hub.close()
})
