import { describe, expect, test } from 'vitest'
import { pipelines, type RunRequest } from '#app/contract/pipelines.ts'
import { checkDraft, fieldOf } from './checks.ts'
import { withFirstModel } from './choose-model.ts'
import {
  draftSchema,
  firstDraft,
  fromRun,
  refusePreset,
  reviveDraft,
  takePreset,
  toRun,
  withModel,
  withWeights,
} from './draft.ts'
import { aLora, aModel, anAdapter } from './testing.ts'

const models = [aModel(), anAdapter()]
const ready = withFirstModel(firstDraft, models)

describe('the first draft', () => {
  test('is complete once the models are known: one click makes a clip', () => {
    expect(ready).toMatchObject({
      model: 'shapes',
      motionAdapter: 'motion',
      prompt: 'a red circle',
      width: 64,
      numFrames: 8,
    })
    expect(checkDraft(ready, models)).toEqual({})
    expect(pipelines['text-to-video'].settings.safeParse(toRun(ready).settings).success).toBe(true)
  })

  test('passes over models that cannot run', () => {
    const broken = aModel({ id: 'broken', problem: { code: 'bad-model', message: 'no weights' } })
    const stills = aModel({ id: 'stills', blockOutChannels: [320, 640] })
    expect(withFirstModel(firstDraft, [broken, stills, ...models]).model).toBe('shapes')
  })
})

describe('turning to another model', () => {
  const other = aModel({ id: 'other', nativeSize: 512, suggested: { prompt: 'a boat' } })

  test('keeps what the user wrote, and replaces a suggestion', () => {
    expect(withModel({ ...ready, prompt: 'my own words' }, other, [...models, other]).prompt).toBe('my own words')
    expect(withModel(ready, other, [...models, other])).toMatchObject({ prompt: 'a boat', width: 512, numFrames: 16 })
  })

  test('drops an adapter that does not fit', () => {
    const wide = aModel({ id: 'wide', blockOutChannels: [320, 640] })
    const turned = withModel(ready, wide, [...models, wide])
    expect(turned.motionAdapter).toBeNull()
    expect(checkDraft(turned, [...models, wide]).motionAdapter).toContain('320, 640')
  })
})

describe('weights of few steps', () => {
  const lightning = anAdapter({ id: 'fast', name: 'animatediff_lightning_4step_diffusers' })
  const all = [...models, lightning]
  const asPublished = {
    scheduler: 'EulerDiscreteScheduler',
    schedulerConfig: { timestep_spacing: 'trailing', beta_schedule: 'linear' },
    numInferenceSteps: 4,
    guidanceScale: 1,
  }

  test('are set up as published when they are chosen, and no longer when others are', () => {
    const fast = withWeights(ready, { motionAdapter: 'fast' }, all)
    expect(fast).toMatchObject(asPublished)
    expect(withWeights(fast, { motionAdapter: 'motion' }, all)).toEqual(ready)
  })

  test('can be refused and taken again', () => {
    const fast = withWeights(ready, { motionAdapter: 'fast' }, all)
    const refused = refusePreset(fast, all)
    expect(refused).toEqual({ ...ready, motionAdapter: 'fast' })
    expect(refusePreset({ ...fast, numInferenceSteps: 6 }, all).numInferenceSteps).toBe(6)
    expect(takePreset(refused, all)).toEqual(fast)
  })

  test('say nothing to a pipeline that has no use for them', () => {
    const still = { ...ready, motionAdapter: 'fast', pipeline: 'text-to-image' } as const
    expect(takePreset(still, all)).toEqual(still)
  })
})

describe('what is wrong with a draft', () => {
  test('a size off the grid names the sizes beside it', () => {
    expect(checkDraft({ ...ready, width: 60 }, models)).toEqual({ width: expect.stringContaining('56 or 64') })
  })
  test('more frames than the motion adapter makes', () => {
    expect(checkDraft({ ...ready, numFrames: 25 }, models)).toEqual({
      numFrames: '25 frames are more than Motion can make at once: at most 24. Windows or FreeNoise make longer clips.',
    })
  })
  test('a LoRA that is gone, and one that is there twice', () => {
    const night = { id: 'night', scale: 1 }
    expect(checkDraft({ ...ready, loras: [night] }, models)).toEqual({ loras: expect.stringContaining('“night”') })
    expect(checkDraft({ ...ready, loras: [night] }, [...models, aLora()])).toEqual({})
    const twice = { ...ready, loras: [night, { ...night, scale: 0.5 }] }
    expect(checkDraft(twice, [...models, aLora()])).toEqual({ loras: expect.stringContaining('twice') })
  })
  test('a model that is gone', () => {
    expect(checkDraft({ ...ready, model: 'gone' }, models).model).toContain('gone')
  })
  test("a host's problem is shown at the last part of its field that the form has", () => {
    const problem = { code: 'bad-input', message: '', field: 'settings.width' } as const
    expect(fieldOf(problem, ready)).toBe('width')
    expect(fieldOf({ ...problem, field: 'jobId' }, ready)).toBeUndefined()
  })
})

describe('a stored draft', () => {
  test('comes back as it was', () => {
    const draft = { ...ready, freeuOn: true, seed: 7, seedLocked: true }
    expect(reviveDraft(JSON.parse(JSON.stringify(draft)))).toEqual(draft)
  })

  test('of the first version, which knew one pipeline, comes back for that', () => {
    const { pipeline, ...first } = { ...ready, prompt: 'from before' }
    expect(reviveDraft(JSON.parse(JSON.stringify(first)))).toEqual({ ...first, pipeline })
    expect(pipeline).toBe('text-to-video')
  })

  test('of before there were other keys of a schedule than one keeps that one', () => {
    const { schedulerConfig: _, ...old } = { ...ready, betaSchedule: 'linear' }
    expect(reviveDraft(old)).toEqual({ ...ready, schedulerConfig: { beta_schedule: 'linear' } })
  })

  test('falls back key by key, whatever was stored', () => {
    const revived = reviveDraft({ ...ready, width: 'wide', freeu: { b1: 9 }, numFrames: undefined })
    expect(revived).toEqual({
      ...ready,
      width: firstDraft.width,
      freeu: firstDraft.freeu,
      numFrames: firstDraft.numFrames,
    })
    for (const stored of [null, 3, 'x', [], { __proto__: { seed: 1 } }])
      expect(draftSchema.safeParse(reviveDraft(stored)).success).toBe(true)
  })
})

test('settings of a clip come back as a draft that makes the same clip', () => {
  const run = toRun({ ...ready, freeuOn: true, chunkingOn: true, seed: 42 }) as RunRequest<'text-to-video'>
  const settings = {
    ...run.settings,
    freeuChanges: [{ step: 11, freeu: null }],
    clipSkip: 2,
    attnProcessor: { 'mid_block.attn1.processor': { processor: 'AttnProcessor' as const } },
    loras: [{ id: 'night', scale: 0.5 }],
  }
  const draft = fromRun({ ...run, settings }, firstDraft)
  expect(toRun(draft)).toEqual({ ...run, settings })
  expect(draft.seedLocked).toBe(true)
})
