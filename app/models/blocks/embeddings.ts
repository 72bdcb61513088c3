import { dims, float32 } from '#app/tensor/tensor.ts'
import {
  activation,
  add,
  concat,
  constant,
  linear,
  mul,
  reshape,
  slice,
  type Scope,
  type Value,
} from '#app/graph/index.ts'

/**
 * Sinusoidal embedding of timesteps (N,) -> (N, dim), cosines first when `flip` is set.
 * Source: diffusers/src/diffusers/models/embeddings.py@58eb52c get_timestep_embedding; arXiv 2006.11239.
 */
export function timestepEmbedding(timesteps: Value, dim: number, { flip = true, shift = 0 } = {}): Value {
  const half = Math.floor(dim / 2)
  // In float32 step by step, as the reference rounds: at step 1000 an ulp of a frequency is 1e-5 of an angle.
  const log = Math.fround(-Math.log(10_000))
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(log * i) / (half - shift))),
  )
  const angles = mul(reshape(timesteps, [-1, 1]), constant(timesteps, [1, half], frequencies)) // (N, half)
  const { builder } = timesteps
  const [sine, cosine] = [builder.emit('Sin', [angles]), builder.emit('Cos', [angles])]
  const parts = flip ? [cosine, sine] : [sine, cosine]
  const zero = dim % 2 === 1 ? [constant(timesteps, [angles.shape[0]!, 1], new Float32Array(angles.shape[0]!))] : []
  return concat([...parts, ...zero], 1)
}

export type TimestepMlpOptions = {
  readonly act?: string
  /** Width of the output; `dim` without it. */
  readonly out?: number
  /** An activation after the second layer. */
  readonly postAct?: string | null | undefined
  readonly condition?: Value | undefined
}

/**
 * The two linear layers over a timestep embedding, (N, in) -> (N, dim); `condition` (N, c) is projected and added
 * first.
 */
export function timestepMlp(
  scope: Scope,
  sample: Value,
  dim: number,
  { act = 'silu', out = dim, postAct, condition }: TimestepMlpOptions = {},
): Value {
  const input = condition
    ? add(sample, linear(scope.at('cond_proj'), condition, sample.shape[1]!, { bias: false }))
    : sample
  const hidden = activation(act, 'act_fn')(linear(scope.at('linear_1'), input, dim))
  const output = linear(scope.at('linear_2'), hidden, out)
  return postAct ? activation(postAct, 'timestep_post_act')(output) : output
}

/**
 * (B, S, D) + sinusoidal positions. The table is a buffer of the checkpoint where it has one, and computed otherwise.
 * Source: diffusers/src/diffusers/models/embeddings.py@58eb52c SinusoidalPositionalEmbedding.
 */
export function addSinusoidalPositions(scope: Scope, x: Value, maxLength: number): Value {
  const [, length, dim] = dims(x, 3)
  if (scope.has('pe')) {
    const table = scope.weight('pe', [1, maxLength, dim])
    return add(x, length === maxLength ? table : slice(table, 1, 0, length))
  }
  // The positions that are there, once for all layers of that width: tables of their own took most of building.
  const used = Math.min(length, maxLength)
  const make = () => float32([1, used, dim], sinusoids(used, dim))
  return add(x, x.builder.shared(`sinusoids ${used}x${dim}`, make))
}

/** Row-major (length, dim). */
export function sinusoids(length: number, dim: number): Float32Array {
  const table = new Float32Array(length * dim)
  for (let channel = 0; channel < dim; channel++) {
    const frequency = Math.exp(-(channel - (channel % 2)) * (Math.log(10_000) / dim))
    const wave = channel % 2 === 0 ? Math.sin : Math.cos
    for (let position = 0; position < length; position++) table[position * dim + channel] = wave(position * frequency)
  }
  return table
}
