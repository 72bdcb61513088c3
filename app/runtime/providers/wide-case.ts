import {
  add,
  concat,
  conv2d,
  gelu,
  GraphBuilder,
  groupNorm,
  interpolateNearest,
  layerNorm,
  linear,
  matmul,
  mul,
  optimize,
  reshape,
  Scope,
  silu,
  softmax,
  split,
  transpose,
  type Graph,
  type Value,
} from '#app/graph/index.ts'
import type { Weight, Weights } from '#app/checkpoints/weights.ts'
import { float32, sizeOf, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { values } from './exact-case.ts'

const channels = 32
const side = 8
const heads = 4

export const wideInput: Tensor<'float32'> = float32([2, channels, side, side], values(2 * channels * side * side, 1))

const shapes: Readonly<Record<string, Shape>> = {
  'norm.weight': [channels],
  'norm.bias': [channels],
  'conv.weight': [channels, channels, 3, 3],
  'conv.bias': [channels],
  'down.weight': [channels, channels, 3, 3],
  'down.bias': [channels],
  'proj_in.weight': [channels, channels, 1, 1],
  'proj_in.bias': [channels],
  'norm1.weight': [channels],
  'norm1.bias': [channels],
  'to_q.weight': [channels, channels],
  'to_k.weight': [channels, channels],
  'to_v.weight': [channels, channels],
  'to_out.weight': [channels, channels],
  'to_out.bias': [channels],
  'ff.weight': [4 * channels, channels],
  'ff.bias': [4 * channels],
  'ff_out.weight': [channels, 2 * channels],
  'ff_out.bias': [channels],
}

/** Weights as small as trained ones, so that no layer drowns the others. */
function weights(): Weights {
  const all = new Map<string, Weight>()
  Object.entries(shapes).forEach(([name, shape], seed) => {
    const fanIn = sizeOf(shape.slice(1))
    const data = values(sizeOf(shape), seed).map((value) =>
      shape.length > 1
        ? value / Math.sqrt(fanIn)
        : name.startsWith('norm') && name.endsWith('weight')
          ? 1 + value / 2
          : value / 2,
    )
    all.set(name, { name, dtype: 'float32', shape, source: { bytes: new Uint8Array(data.buffer) } })
  })
  return all
}

/**
 * A residual block, a strided convolution, fused and plain attention and a gated feed-forward layer, joined with the
 * doubled image: one of each kind of layer that the models have, each fed by the one before.
 */
export function wideGraph(): Graph {
  const builder = new GraphBuilder('provider-check')
  const x = builder.input('x', 'float32', wideInput.shape)
  const scope = Scope.root(builder, weights())
  const hidden = add(
    x,
    conv2d(scope.at('conv'), silu(groupNorm(scope.at('norm'), x, 8, 1e-5)), channels, { padding: 1 }),
  )
  const small = conv2d(scope.at('down'), hidden, channels, { stride: 2, padding: 1 }) // (2, C, 4, 4)
  const tokens = transpose(
    reshape(conv2d(scope.at('proj_in'), small, channels, { kernel: 1 }), [2, channels, -1]),
    [0, 2, 1],
  )
  const attended = add(tokens, attention(scope, layerNorm(scope.at('norm1'), tokens)))
  const [gated, gate] = split(linear(scope.at('ff'), attended, 4 * channels), [2 * channels, 2 * channels], -1) as [
    Value,
    Value,
  ]
  const out = add(attended, linear(scope.at('ff_out'), mul(gated, gelu(gate)), channels))
  const image = reshape(transpose(out, [0, 2, 1]), small.shape)
  builder.output('y', concat([interpolateNearest(image, side, side), hidden], 1))
  return optimize(builder.finish())
}

function attention(scope: Scope, x: Value): Value {
  const project = (name: string): Value => linear(scope.at(name), x, channels, { bias: false })
  const [query, key, value] = [project('to_q'), project('to_k'), project('to_v')]
  const fused = x.builder.emit('MultiHeadAttention', [query, key, value], { num_heads: heads })
  const plain = matmul(softmax(mul(matmul(query, transpose(key, [0, 2, 1])), channels ** -0.5)), value)
  return linear(scope.at('to_out'), add(fused, plain), channels)
}
