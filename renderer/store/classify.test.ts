import { beforeEach, expect, test } from 'vitest'
import { chooseClassifier, classifyStore, editClassify } from './classify.ts'
import { aModel } from './testing.ts'

const classifier = (id: string, problem?: string) =>
  aModel({ id, kind: 'video-classifier', ...(problem && { problem: { code: 'bad-model', message: problem } }) })
const chosen = (): string => classifyStore.getState().draft.model
beforeEach(() => classifyStore.setState(classifyStore.getInitialState(), true))

test('the first usable classifier is chosen, and stays while it is there', () => {
  chooseClassifier([aModel(), classifier('broken', 'It has no weights.'), classifier('a'), classifier('b')])
  expect(chosen()).toBe('a')
  chooseClassifier([classifier('b'), classifier('a')])
  expect(chosen()).toBe('a')
  chooseClassifier([classifier('b')])
  expect(chosen()).toBe('b')
})

test('without any classifier the choice is left as it is', () => {
  editClassify({ model: 'gone' })
  chooseClassifier([aModel()])
  expect(chosen()).toBe('gone')
})

test('an edit answers what was wrong', () => {
  classifyStore.setState({ problem: 'Choose a classifier first.' })
  editClassify({ topK: 3 })
  expect(classifyStore.getState()).toMatchObject({ problem: null, draft: { topK: 3 } })
})
