import { add, cast, reshape, slice } from '../functions.ts'
import type { Value } from '../graph.ts'

/**
 * The number 1 (1), as int64, which onnxruntime cannot know before `x` is there: 1 + the place of the largest of its
 * first element alone. What is multiplied by it is not computed ahead, and NaN does not change it.
 */
export function alwaysOne(x: Value): Value {
  const first = cast(slice(reshape(x, [-1]), 0, 0, 1), 'float32')
  return add(first.builder.emit('ArgMax', [first], { axis: 0, keepdims: 1 }), x.builder.integers([1]))
}
