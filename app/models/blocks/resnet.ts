import {
  activation,
  add,
  conv2d,
  div,
  groupNorm,
  interpolateNearest,
  linear,
  mul,
  pad2d,
  reshape,
  split,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'
import { spatialNorm } from './spatial-norm.ts'

export type ResnetOptions = {
  readonly out: number
  readonly groups: number
  readonly epsilon: number
  readonly act: string
  /** Time embedding (B, E), with B dividing the batch: one for several consecutive rows. */
  readonly temb?: Value | undefined
  /** The time is added (default), or scales and shifts. */
  readonly timeScaleShift?: 'default' | 'scale_shift'
  /** The time embedding comes through its activation already. */
  readonly skipTimeAct?: boolean
  /** Doubles or halves height and width on the way. */
  readonly resample?: 'up' | 'down' | undefined
  readonly outputScaleFactor?: number
  /** Latents (N, c, h, w) that steer the norms, see spatial-norm.ts. */
  readonly latents?: Value | undefined
}

/**
 * Residual block over (N, C, H, W).
 * Source: diffusers/src/diffusers/models/resnet.py@58eb52c ResnetBlock2D, and ResnetBlockCondNorm2D with spatial norm.
 */
export function resnetBlock(scope: Scope, input: Value, options: ResnetOptions): Value {
  const { out, groups, epsilon, act, temb, resample, latents, outputScaleFactor = 1 } = options
  const nonlinearity = activation(act, 'act_fn')
  const norm = (name: string, x: Value): Value =>
    latents ? spatialNorm(scope.at(name), x, latents) : groupNorm(scope.at(name), x, groups, epsilon)
  const resized = (x: Value): Value =>
    resample === 'up' ? interpolateNearest(x, ...doubled(x)) : resample === 'down' ? halved(x) : x

  let x = conv2d(scope.at('conv1'), resized(nonlinearity(norm('norm1', input))), out, { padding: 1 })
  if (temb && options.timeScaleShift === 'scale_shift') {
    const both = linear(scope.at('time_emb_proj'), options.skipTimeAct ? temb : nonlinearity(temb), 2 * out)
    const [scale, shift] = split(both, [out, out], 1)
    x = perChannel(add, perChannel(mul, norm('norm2', x), add(scale, 1)), shift)
  } else {
    if (temb)
      x = perChannel(add, x, linear(scope.at('time_emb_proj'), options.skipTimeAct ? temb : nonlinearity(temb), out))
    x = norm('norm2', x)
  }
  x = conv2d(scope.at('conv2'), nonlinearity(x), out, { padding: 1 })
  const straight = resized(input)
  const shortcut = input.shape[1] === out ? straight : conv2d(scope.at('conv_shortcut'), straight, out, { kernel: 1 })
  const sum = add(shortcut, x)
  return outputScaleFactor === 1 ? sum : div(sum, outputScaleFactor)
}

const doubled = (x: Value): readonly [number, number] => {
  const [height, width] = sidesOf(x)
  return [height * 2, width * 2]
}

/** The mean of each 2 by 2 pixels. */
const halved = (x: Value): Value => x.builder.emit('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] })

/** (N, C, H, W) with (B, C), where each row of the second serves N / B rows of the first. */
function perChannel(operation: (a: Value, b: Value) => Value, x: Value, values: Value): Value {
  const [batch, channels] = dims(values, 2)
  if (batch === x.shape[0] || batch === 1) return operation(x, reshape(values, [batch, channels, 1, 1]))
  const runs = reshape(x, [batch, -1, ...x.shape.slice(1)])
  return reshape(operation(runs, reshape(values, [batch, 1, channels, 1, 1])), x.shape)
}

/** Height and width of (N, C, H, W). */
export function sidesOf(x: Value): readonly [number, number] {
  const [, , height, width] = dims(x, 4)
  return [height, width]
}

/** Halves height and width. Padding 0 means one row and column of zeros at the end, as the autoencoder was trained. */
export function downsample2d(scope: Scope, x: Value, out: number, padding: number): Value {
  const input = padding === 0 ? pad2d(x, [0, 0, 1, 1]) : x
  return conv2d(scope.at('conv'), input, out, { stride: 2, padding })
}

/** Doubles height and width, or brings them to `size`. */
export function upsample2d(scope: Scope, x: Value, out: number, size?: readonly [number, number]): Value {
  return conv2d(scope.at('conv'), interpolateNearest(x, ...(size ?? doubled(x))), out, { padding: 1 })
}
