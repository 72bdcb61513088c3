import {
  activation,
  add,
  conv2d,
  div,
  groupNorm,
  interpolateNearest,
  linear,
  pad2d,
  reshape,
  type Scope,
  type Value,
} from '#app/graph/index.ts'

export type ResnetOptions = {
  readonly out: number
  readonly groups: number
  readonly epsilon: number
  readonly act: string
  /** Time embedding (B, E), with B dividing the batch: one for several consecutive rows. */
  readonly temb?: Value | undefined
  readonly outputScaleFactor?: number
}

/** Residual block over (N, C, H, W). Source: diffusers/src/diffusers/models/resnet.py@58eb52c ResnetBlock2D, default norm. */
export function resnetBlock(
  scope: Scope,
  input: Value,
  { out, groups, epsilon, act, temb, outputScaleFactor = 1 }: ResnetOptions,
): Value {
  const nonlinearity = activation(act, 'act_fn')
  let x = conv2d(scope.at('conv1'), nonlinearity(groupNorm(scope.at('norm1'), input, groups, epsilon)), out, {
    padding: 1,
  })
  if (temb) x = addPerChannel(x, linear(scope.at('time_emb_proj'), nonlinearity(temb), out))
  x = conv2d(scope.at('conv2'), nonlinearity(groupNorm(scope.at('norm2'), x, groups, epsilon)), out, { padding: 1 })
  const shortcut = input.shape[1] === out ? input : conv2d(scope.at('conv_shortcut'), input, out, { kernel: 1 })
  const sum = add(shortcut, x)
  return outputScaleFactor === 1 ? sum : div(sum, outputScaleFactor)
}

/** (N, C, H, W) + (B, C), where each row of the second serves N / B rows of the first. */
function addPerChannel(x: Value, perChannel: Value): Value {
  const [batch, channels] = perChannel.shape as [number, number]
  if (batch === x.shape[0] || batch === 1) return add(x, reshape(perChannel, [batch, channels, 1, 1]))
  const runs = reshape(x, [batch, -1, ...x.shape.slice(1)])
  return reshape(add(runs, reshape(perChannel, [batch, 1, channels, 1, 1])), x.shape)
}

/** Halves height and width. Padding 0 means one row and column of zeros at the end, as the autoencoder was trained. */
export function downsample2d(scope: Scope, x: Value, out: number, padding: number): Value {
  const input = padding === 0 ? pad2d(x, [0, 0, 1, 1]) : x
  return conv2d(scope.at('conv'), input, out, { stride: 2, padding })
}

/** Doubles height and width, or brings them to `size`. */
export function upsample2d(scope: Scope, x: Value, out: number, size?: readonly [number, number]): Value {
  const [height, width] = size ?? [x.shape[2]! * 2, x.shape[3]! * 2]
  return conv2d(scope.at('conv'), interpolateNearest(x, height, width), out, { padding: 1 })
}
