import { ProblemError } from '#app/contract/errors.ts'
import { add, mul, reshape } from './functions.ts'
import type { Value } from './graph.ts'
import { withConvLoras, withLinearLoras, withNormLoras } from './loras.ts'
import type { Scope } from './scope.ts'

/** (..., in) -> (..., out), straight from the (out, in) weight. `bias: 'auto'` takes one if the checkpoint has it. */
export function linear(scope: Scope, x: Value, out: number, { bias = true }: { bias?: boolean } = {}): Value {
  const input = x.shape.at(-1)!
  const rows = reshape(x, [-1, input])
  const weight = scope.weight('weight', [out, input])
  const operands = bias ? [rows, weight, scope.weight('bias', [out])] : [rows, weight]
  const output = reshape(scope.emit('Gemm', operands, { transB: 1 }), [...x.shape.slice(0, -1), out])
  return withLinearLoras(scope, x, weight, output)
}

export type ConvOptions = { kernel?: number; stride?: number; padding?: number; bias?: boolean }

/** (N, C, H, W) -> (N, out, H', W'). */
export function conv2d(scope: Scope, x: Value, out: number, options: ConvOptions = {}): Value {
  const { kernel = 3, stride = 1, padding = 0, bias = true } = options
  const weight = scope.weight('weight', [out, x.shape[1]!, kernel, kernel])
  const output = scope.emit('Conv', bias ? [x, weight, scope.weight('bias', [out])] : [x, weight], {
    kernel_shape: [kernel, kernel],
    pads: [padding, padding, padding, padding],
    strides: [stride, stride],
  })
  return withConvLoras(scope, x, weight, output, { stride, padding })
}

/** Over the last axis. `affine: false` for a norm without weights. */
export function layerNorm(
  scope: Scope,
  x: Value,
  { epsilon = 1e-5, affine = true }: { epsilon?: number; affine?: boolean } = {},
): Value {
  const size = x.shape.at(-1)!
  const operands = affine ? [x, ...normWeights(scope, size)] : [x, x.builder.filled(size, 1)]
  return scope.emit('LayerNormalization', operands, { axis: x.shape.length - 1, epsilon })
}

/** x / sqrt(mean x^2 + epsilon) * weight over the last axis (arXiv 1910.07467). */
export function rmsNorm(scope: Scope, x: Value, epsilon: number): Value {
  const [scale] = withNormLoras(scope, scope.weight('weight', [x.shape.at(-1)!]))
  return scope.emit('SimplifiedLayerNormalization', [x, scale], { axis: x.shape.length - 1, epsilon })
}

/**
 * (N, C, ...) normalised over each group of channels and all positions. InstanceNormalization over (N, groups, rest) is
 * the fastest form that onnxruntime's CPU provider has.
 */
export function groupNorm(scope: Scope, x: Value, groups: number, epsilon: number): Value {
  const [batch, channels] = [x.shape[0]!, x.shape[1]!]
  checkGroups(scope, channels, groups)
  const normalized = normalizeGroups(scope, reshape(x, [batch, groups, -1]), epsilon)
  const perChannel = [channels, ...new Array<number>(x.shape.length - 2).fill(1)]
  const [scale, bias] = normWeights(scope, channels)
  return add(mul(reshape(normalized, x.shape), reshape(scale, perChannel)), reshape(bias, perChannel))
}

/** A norm's weight and bias, (size) each. */
export function normWeights(scope: Scope, size: number): [weight: Value, bias: Value] {
  const [weight, bias] = withNormLoras(scope, scope.weight('weight', [size]), scope.weight('bias', [size]))
  return [weight, bias!]
}

/** Throws bad-model where groups of channels would not be of one size. */
export function checkGroups(scope: Scope, channels: number, groups: number): void {
  if (channels % groups !== 0)
    throw new ProblemError(
      'bad-model',
      `config.json: norm_num_groups ${groups} does not divide the ${channels} channels of ${scope.path}`,
      { field: 'norm_num_groups' },
    )
}

/** (N, G, L) with mean 0 and variance 1 over L. */
export function normalizeGroups(scope: Scope, x: Value, epsilon: number): Value {
  const groups = x.shape[1]!
  const scale = [x.builder.filled(groups, 1), x.builder.filled(groups, 0)]
  return scope.emit('InstanceNormalization', [x, ...scale], { epsilon })
}
