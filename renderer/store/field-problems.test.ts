import { beforeEach, expect, test } from 'vitest'
import { draftStore, editDraft } from './draft.ts'
import { fieldProblemStore, pointAt, refuse } from './field-problems.ts'

beforeEach(() => {
  draftStore.setState(draftStore.getInitialState(), true)
  fieldProblemStore.setState(fieldProblemStore.getInitialState(), true)
})

test('what the host refused goes away when its field changes, not when another does', () => {
  refuse('width', 'Width must be a multiple of 64.')
  editDraft({ height: 256 })
  expect(fieldProblemStore.getState().refusal).toMatchObject({ field: 'width', value: 512 })
  editDraft({ width: 448 })
  expect(fieldProblemStore.getState().refusal).toBeNull()
})

test('pointing at the same field again is news: the focus goes there again', () => {
  pointAt('model', 'No model.')
  const first = fieldProblemStore.getState().pointed
  pointAt('model', 'No model.')
  expect(fieldProblemStore.getState().pointed).toEqual(first)
  expect(fieldProblemStore.getState().pointed).not.toBe(first)
})
