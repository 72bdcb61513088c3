import { ProblemError } from '#app/contract/errors.ts'
import { add, cast, mul, reshape, type Value } from '#app/graph/index.ts'
import { showShape } from '#app/tensor/tensor.ts'

/**
 * A mask as the input `name` gives it, as what is added to attention scores, (B, 1, 1 or S, L). Two formats: keep
 * (B, L), 1 for the tokens that count and 0 for those that do not, and bias (B, 1 or S, L), 0 and -10000.
 * Source: diffusers/src/diffusers/models/transformers/pixart_transformer_2d.py@58eb52c forward.
 */
export function attentionBias(mask: Value, name: string): Value {
  const values = cast(mask, 'float32')
  if (mask.shape.length === 2) return reshape(discarded(values), [mask.shape[0]!, 1, 1, mask.shape[1]!])
  if (mask.shape.length === 3) return reshape(values, [mask.shape[0]!, 1, ...mask.shape.slice(1)])
  throw new ProblemError(
    'bad-input',
    `${name} has shape ${showShape(mask.shape)}; it must be (batch, tokens), 1 to keep and 0 to leave out, or (batch, 1, tokens), added to the scores`,
    { field: name },
  )
}

/** (1 - keep) * `masked` */
export const discarded = (keep: Value, masked = -10_000): Value => mul(add(mul(keep, -1), 1), masked)
