import { beforeEach, expect, test } from 'vitest'
import { aClassification, aClip, aJob } from './testing.ts'
import { closeDialog, forget, isOnShow, openDialog, openJob, openResult, setPlace, viewStore } from './view.ts'

const state = () => viewStore.getState()
beforeEach(() => viewStore.setState(viewStore.getInitialState(), true))

test('a result opens in the view of its kind, and leaves what the others show', () => {
  openResult(aClip({ id: 'a' }))
  expect(state().view).toBe('generate')
  openResult(aClassification({ id: 'b', clipId: 'a' }))
  expect(state().view).toBe('classify')
  expect(state().places).toEqual({
    generate: { shown: { kind: 'result', id: 'a' }, source: null, follows: false },
    classify: { shown: { kind: 'result', id: 'b' }, source: { kind: 'clip', id: 'a' }, follows: false },
  })
})

test('a classification of a file that is gone has no source', () => {
  setPlace('classify', { source: { kind: 'clip', id: 'before' } })
  openResult(aClassification())
  expect(state().places.classify.source).toBeNull()
})

test('a job opens in the view of its kind, on the source that is there', () => {
  setPlace('classify', { source: { kind: 'clip', id: 'a' } })
  openJob(aJob({ id: 'j', pipeline: 'video-classification' }))
  expect(state()).toMatchObject({
    view: 'classify',
    places: { classify: { shown: { kind: 'job', id: 'j' }, source: { kind: 'clip', id: 'a' } } },
  })
})

test('what is on show are a job or a result of the view that is open, and the clip that it works on', () => {
  openResult(aClassification({ id: 'b', clipId: 'a' }))
  setPlace('generate', { shown: { kind: 'job', id: 'j' } })
  expect(isOnShow(state(), { kind: 'result', id: 'b' })).toBe(true)
  expect(isOnShow(state(), { kind: 'result', id: 'a' })).toBe(true)
  expect(isOnShow(state(), { kind: 'job', id: 'a' })).toBe(false)
  expect(isOnShow(state(), { kind: 'job', id: 'j' })).toBe(false)
})

test('a deleted result is on show nowhere', () => {
  openResult(aClip({ id: 'a' }))
  openResult(aClassification({ id: 'b' }))
  forget('a')
  expect(state().places.generate.shown).toBeNull()
  expect(state().places.classify.shown).toEqual({ kind: 'result', id: 'b' })
})

test('one dialog at a time', () => {
  openDialog({ kind: 'settings', tab: 'models' })
  openDialog({ kind: 'palette' })
  expect(state().dialog).toEqual({ kind: 'palette' })
  closeDialog()
  expect(state().dialog).toBeNull()
})
