import { type DType } from '#app/tensor/tensor.ts'
import { broadcast } from '../broadcast.ts'
import { fail, same, sameDType, type Op } from './op.ts'

const floating: readonly DType[] = ['float32', 'float16', 'float64']

export const unary = (domain: Op['domain'] = '', attributes: readonly string[] = []): Op => ({
  domain,
  inputs: [1, 1],
  attributes,
  infer: ([x]) => (floating.includes(x.dtype) ? same(x) : fail(`needs a floating type, not ${x.dtype}`)),
})

const binary: Op = {
  domain: '',
  inputs: [2, 2],
  attributes: [],
  infer: (inputs) => [{ dtype: sameDType(inputs), shape: broadcast(inputs[0].shape, inputs[1].shape) }],
}

/** Operators on each element by itself. */
export const elementwise = {
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Sqrt: unary(),
  Sin: unary(),
  Cos: unary(),
  Exp: unary(),
  Neg: unary(),
  Sigmoid: unary(),
  Tanh: unary(),
  Relu: unary(),
  Erf: unary(),
  Softplus: unary(),
  LeakyRelu: unary('', ['alpha?']),
  HardSwish: unary(),
  Gelu: unary('com.microsoft'),
  FastGelu: unary('com.microsoft'),
  QuickGelu: unary('com.microsoft', ['alpha']),
  Identity: { domain: '', inputs: [1, 1], attributes: [], infer: ([x]) => same(x) },
  Clip: {
    domain: '',
    inputs: [3, 3],
    attributes: [],
    infer: (inputs) => [{ dtype: sameDType(inputs), shape: inputs[0].shape }],
  },
  Cast: {
    domain: '',
    inputs: [1, 1],
    attributes: ['to'],
    infer: ([x], attributes) => [{ dtype: attributes.to as DType, shape: x.shape }],
  },
  Equal: {
    domain: '',
    inputs: [2, 2],
    attributes: [],
    infer: (inputs) => {
      sameDType(inputs)
      return [{ dtype: 'bool', shape: broadcast(inputs[0].shape, inputs[1].shape) }]
    },
  },
  /** float32 -> uint8 of the same shape, its scale and its zero point, taken from the least and the largest value. */
  DynamicQuantizeLinear: {
    domain: '',
    inputs: [1, 1],
    attributes: [],
    infer: ([x]) => [
      { dtype: 'uint8', shape: x.shape },
      { dtype: 'float32', shape: [] },
      { dtype: 'uint8', shape: [] },
    ],
  },
} satisfies Record<string, Op>
