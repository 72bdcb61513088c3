import { expect, test } from 'vitest'
import { checkDraft } from './checks.ts'
import { withFirstModel, withPipeline } from './choose-model.ts'
import { firstDraft, fromRun, toRun } from './draft.ts'
import { aModel, anAdapter } from './testing.ts'

const models = [aModel(), anAdapter()]
const clip = { ...withFirstModel(firstDraft, models), prompt: 'my own words', seed: 3, numFrames: 5, width: 128 }

test('another pipeline keeps what was chosen, there and back', () => {
  const still = withPipeline(clip, 'text-to-image', models)
  expect(still).toMatchObject({ model: 'shapes', prompt: 'my own words', seed: 3, width: 128, schedulerConfig: {} })
  expect(checkDraft(still, models)).toEqual({})
  expect(toRun(still).settings).not.toHaveProperty('numFrames')
  expect(withPipeline(still, 'text-to-video', models)).toEqual(clip)
})

test('a model that cannot be used there gives way to the first that can', () => {
  const mover = aModel({ id: 'mover', needsMotionAdapter: false })
  const moving = { ...clip, model: 'mover', motionAdapter: null }
  expect(withPipeline(moving, 'text-to-image', [mover, ...models])).toMatchObject({ model: 'shapes' })
})

test('a recipe of a still comes back as one, whatever the form was for', () => {
  const run = toRun(withPipeline(clip, 'text-to-image', models))
  expect(fromRun(run, clip)).toMatchObject({ pipeline: 'text-to-image', numFrames: 5, seedLocked: true })
})
