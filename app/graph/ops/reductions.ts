import { showShape } from '#app/tensor/tensor.ts'
import { unary } from './elementwise.ts'
import { at, axisOf, fail, int, integers, ints, replaced, same, type Op } from './op.ts'

const reduce: Op = {
  domain: '',
  inputs: [2, 2],
  attributes: ['keepdims?'],
  infer: ([x, axes], attributes, constantOf) => {
    const reduced = new Set(integers(constantOf(axes)).map((axis) => axisOf(axis, x.shape.length)))
    const shape =
      int(attributes, 'keepdims', 1) === 1
        ? x.shape.map((size, i) => (reduced.has(i) ? 1 : size))
        : x.shape.filter((_, i) => !reduced.has(i))
    return [{ dtype: x.dtype, shape }]
  },
}

/** Operators that sum or compare along axes. */
export const reductions = {
  ReduceMean: reduce,
  ReduceSum: reduce,
  ArgMax: {
    domain: '',
    inputs: [1, 1],
    attributes: ['axis', 'keepdims'],
    infer: ([x], attributes) => {
      const axis = axisOf(int(attributes, 'axis', 0), x.shape.length)
      const shape = int(attributes, 'keepdims', 1) ? replaced(x.shape, axis, 1) : x.shape.filter((_, i) => i !== axis)
      return [{ dtype: 'int64', shape }]
    },
  },
  AveragePool: {
    domain: '',
    inputs: [1, 1],
    attributes: ['kernel_shape', 'strides'],
    infer: ([x], attributes) => {
      const [kernel, strides] = [ints(attributes, 'kernel_shape'), ints(attributes, 'strides')]
      const lead = x.shape.length - kernel.length
      const out = kernel.map((size, i) => Math.floor((x.shape[lead + i]! - size) / at(strides, i)) + 1)
      if (out.some((size) => size < 1)) fail(`${showShape(x.shape)} is smaller than the window`)
      return [{ dtype: x.dtype, shape: [...x.shape.slice(0, lead), ...out] }]
    },
  },
  Softmax: unary('', ['axis']),
  InstanceNormalization: {
    domain: '',
    inputs: [3, 3],
    attributes: ['epsilon'],
    infer: ([x, scale, bias]) => {
      if (scale.shape[0] !== x.shape[1] || bias.shape[0] !== x.shape[1])
        fail(`scale ${showShape(scale.shape)} does not fit ${showShape(x.shape)}`)
      return same(x)
    },
  },
  LayerNormalization: {
    domain: '',
    inputs: [2, 3],
    attributes: ['axis', 'epsilon'],
    infer: ([x, scale]) => {
      if (scale.shape.at(-1) !== x.shape.at(-1))
        fail(`scale ${showShape(scale.shape)} does not fit ${showShape(x.shape)}`)
      return same(x)
    },
  },
  /** Without the mean and the bias: root mean square normalisation. onnxruntime has it in ONNX's own domain. */
  SimplifiedLayerNormalization: {
    domain: '',
    inputs: [2, 2],
    attributes: ['axis', 'epsilon'],
    infer: ([x, scale]) => {
      if (scale.shape.at(-1) !== x.shape.at(-1))
        fail(`scale ${showShape(scale.shape)} does not fit ${showShape(x.shape)}`)
      return same(x)
    },
  },
} satisfies Record<string, Op>
