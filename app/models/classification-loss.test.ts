import { expect, it } from 'vitest'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { classificationLoss } from './classification-loss.ts'
import { parseConfig } from './model.ts'
import { timesformerModel, type TimesformerConfig } from './timesformer.ts'

const config = (problem: TimesformerConfig['problem_type'], num_labels = 3): TimesformerConfig =>
  parseConfig(timesformerModel, { num_labels, problem_type: problem })
const int64 = (...labels: number[]): Tensor => ({
  dtype: 'int64',
  shape: [labels.length],
  data: BigInt64Array.from(labels, BigInt),
})
const logits = float32([2, 3], [0.5, -1, 2, 1.5, 0.25, -0.75])
const targets = float32([2, 3], [0, 1, 1, 0.5, 0, 1])
const column = float32([2, 1], [0.5, 1.5])

// The numbers of torch's loss functions.
it.each([
  ['classes', config(null), logits, int64(2, 0), 0.28599],
  ['a class that does not count', config(null), logits, int64(1, -100), 3.24131],
  ['several classes', config(null), logits, targets, 0.88808],
  ['values', config('regression'), logits, targets, 1.5625],
  ['one value', config(null, 1), column, int64(3, 4), 6.25],
] as const)('%s', (_, chosen, given, labels, expected) => {
  expect(classificationLoss(chosen, given, labels)).toBeCloseTo(expected, 4)
})

it.each([
  ['a class beyond the last', config(null), int64(2, 3)],
  ['fewer labels than rows', config(null), int64(2)],
  ['classes as fractions', config('single_label_classification'), float32([2], [1, 2])],
  ['several classes as integers', config('multi_label_classification'), int64(1, 0, 1, 0, 1, 1)],
  ['one value for three', config('regression'), float32([2], [1, 2])],
] as const)('%s is refused', (_, chosen, labels) => {
  expect(() => classificationLoss(chosen, logits, labels)).toThrow(/label/)
})
