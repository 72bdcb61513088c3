import { ProblemError } from '#app/contract/errors.ts'
import { dims, showShape, type Tensor } from '#app/tensor/tensor.ts'
import { labelCount, type TimesformerConfig } from './timesformer.ts'

/**
 * The loss of logits (N, labels) against labels: class indices (N) int64, of which those of -100 do not count; targets
 * (N, labels) float32 between 0 and 1; or values (N, labels) for regression. config.problem_type decides, or the labels
 * where it is not set, as in the reference's classification head.
 * Throws bad-input when the labels do not fit.
 */
export function classificationLoss(config: TimesformerConfig, logits: Tensor<'float32'>, labels: Tensor): number {
  const { data, shape } = logits
  const [rows, columns] = dims(logits, 2)
  const integers = labels.dtype === 'int64' || labels.dtype === 'int32'
  const problem =
    config.problem_type ??
    (labelCount(config) === 1 ? 'regression' : integers ? 'single_label_classification' : 'multi_label_classification')
  const targets = Array.from(labels.data as ArrayLike<number | bigint>, Number)
  const single = problem === 'single_label_classification'
  if (targets.length !== (single ? rows : rows * columns) || (problem !== 'regression' && integers !== single))
    throw new ProblemError(
      'bad-input',
      `labels of shape ${showShape(labels.shape)}, ${labels.dtype}, do not fit logits ${showShape(shape)} (${problem})`,
      { field: 'labels' },
    )

  if (problem === 'regression') return mean(targets.map((target, i) => (data[i]! - target) ** 2))
  if (problem === 'multi_label_classification')
    // log(1 + e^-|x|) keeps large logits finite
    return mean(
      targets.map((target, i) => Math.max(data[i]!, 0) - data[i]! * target + Math.log1p(Math.exp(-Math.abs(data[i]!)))),
    )
  return mean(
    targets.flatMap((target, row) => {
      if (target === -100) return []
      if (target < 0 || target >= columns)
        throw new ProblemError('bad-input', `label ${target} is outside 0 to ${columns - 1}`, { field: 'labels' })
      const logitsOfRow = data.subarray(row * columns, (row + 1) * columns)
      const highest = Math.max(...logitsOfRow)
      const sum = logitsOfRow.reduce((total, logit) => total + Math.exp(logit - highest), 0)
      return Math.log(sum) + highest - logitsOfRow[target]!
    }),
  )
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
