import { expect, test } from 'vitest'
import { freeUPresets } from '#app/contract/settings.ts'
import { applyEvent, studioStore, type StudioState, type StateEvent } from './studio.ts'
import { aClip, aJob } from './testing.ts'

const after = (...events: StateEvent[]): StudioState =>
  events.reduce<StudioState>(
    (state, event) => ({ ...state, ...applyEvent(state, event) }),
    studioStore.getInitialState(),
  )

const job = (change: Parameters<typeof aJob>[0]): StateEvent => ({ type: 'job', job: aJob(change) })

test('jobs keep their order when they change, and leave when they are removed', () => {
  const state = after(
    job({ id: 'b', createdAt: 2 }),
    job({ id: 'a', createdAt: 1 }),
    job({ id: 'a', createdAt: 1, step: 4 }),
  )
  expect(state.jobs.map(({ id, step }) => [id, step])).toEqual([
    ['a', 4],
    ['b', 3],
  ])
  expect({ ...state, ...applyEvent(state, { type: 'job-removed', id: 'a' }) }.jobs.map(({ id }) => id)).toEqual(['b'])
})

test('results are newest first, and a result told twice is there once', () => {
  const added = (id: string, createdAt: number): StateEvent => ({
    type: 'result-added',
    result: aClip({ id, createdAt }),
  })
  expect(after(added('a', 1), added('b', 2), added('a', 1)).results.map(({ id }) => id)).toEqual(['b', 'a'])
})

test('other values are marked at the step that was the first to use them', () => {
  const [a, b] = [freeUPresets[0].freeu, freeUPresets[1].freeu]
  const state = after(
    job({ step: 0, freeu: null }),
    job({ step: 1, freeuUsed: null, loraScalesUsed: { night: 1 } }),
    job({ step: 1, freeu: a, freeuUsed: null, loraScalesUsed: { night: 1 } }), // asked for, and not in force yet
    job({ step: 3, freeu: a, freeuUsed: a, loraScalesUsed: { night: 1 } }),
    job({ step: 4, freeu: b, freeuUsed: b, loraScalesUsed: { night: 0.5 } }),
    job({ step: 5, freeu: b, freeuUsed: b, loraScalesUsed: { night: 0.5 } }),
  )
  expect(state.liveMarks).toEqual({
    job: [
      { step: 3, what: 'FreeU' },
      { step: 4, what: 'FreeU' },
      { step: 4, what: 'LoRA scales' },
    ],
  })
})

test('no model is missed before the host has searched for them', () => {
  expect(after().modelsKnown).toBe(false)
  expect(after({ type: 'models', models: [] }).modelsKnown).toBe(true)
})
