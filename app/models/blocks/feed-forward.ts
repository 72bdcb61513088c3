import { ProblemError } from '#app/contract/errors.ts'
import {
  reshape,
  gelu,
  geluTanh,
  linear,
  mul,
  quickGelu,
  silu,
  split,
  type Scope,
  type Value,
} from '#app/graph/index.ts'

export type FeedForwardOptions = { readonly activation: string; readonly inner?: number; readonly bias?: boolean }

/**
 * Two linear layers with an activation between, under diffusers' names net.0.proj and net.2. Whole, or in chunks along
 * one axis where the scope's options say so.
 * Source: diffusers/src/diffusers/models/attention.py@58eb52c FeedForward; GEGLU: arXiv 2002.05202.
 */
export function feedForward(scope: Scope, x: Value, options: FeedForwardOptions): Value {
  const chunking = scope.options.forwardChunking
  if (!chunking) return wholeFeedForward(scope, x, options)
  const { chunkSize, dim } = chunking
  const size = x.shape[dim]!
  if (size % chunkSize !== 0)
    throw new ProblemError(
      'bad-input',
      `forward chunking: axis ${dim} of ${scope.path} has ${size} entries, which the chunk size ${chunkSize} does not divide; choose a chunk size that divides it`,
      { field: 'chunkSize' },
    )
  // One chunk after the other, so that only one chunk's inner layer is in memory at a time.
  const chunks = reshape(x, x.shape.toSpliced(dim, 1, size / chunkSize, chunkSize))
  return reshape(
    x.builder.scan([chunks], dim, (chunk) => wholeFeedForward(scope, chunk, options)),
    x.shape,
  )
}

function wholeFeedForward(
  scope: Scope,
  x: Value,
  { activation, inner = 4 * x.shape.at(-1)!, bias = true }: FeedForwardOptions,
): Value {
  const hidden = activated(scope.at('net', 0), x, activation, inner, bias)
  return linear(scope.at('net', 2), hidden, x.shape.at(-1)!, { bias })
}

function activated(scope: Scope, x: Value, name: string, inner: number, bias: boolean): Value {
  const project = (size: number): Value => linear(scope.at('proj'), x, size, { bias })
  switch (name) {
    case 'gelu':
      return gelu(project(inner))
    case 'gelu-approximate':
      return geluTanh(project(inner))
    case 'geglu': {
      const [hidden, gate] = split(project(2 * inner), [inner, inner], -1)
      return mul(hidden, gelu(gate))
    }
    case 'geglu-approximate':
      // x * sigmoid(1.702 x), as the reference's ApproximateGELU
      return quickGelu(project(inner))
    case 'swiglu': {
      const [hidden, gate] = split(project(2 * inner), [inner, inner], -1)
      return mul(hidden, silu(gate))
    }
    case 'linear-silu':
      return silu(project(inner))
    default:
      throw new ProblemError(
        'bad-model',
        `config.json: activation_fn "${name}" is not known for a feed-forward layer`,
        { field: 'activation_fn' },
      )
  }
}
