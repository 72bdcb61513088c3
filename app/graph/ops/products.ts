import { dims, showShape } from '#app/tensor/tensor.ts'
import { broadcast } from '../broadcast.ts'
import { fail, int, ints, sameDType, type Op } from './op.ts'

/** Products of matrices, and what is made of them. */
export const products = {
  MatMul: {
    domain: '',
    inputs: [2, 2],
    attributes: [],
    infer: (inputs) => {
      const [a, b] = [inputs[0].shape, inputs[1].shape]
      if (a.length < 2 || b.length < 2) fail('needs matrices')
      if (a.at(-1) !== b.at(-2)) fail(`${showShape(a)} and ${showShape(b)} do not multiply`)
      const batch = broadcast(a.slice(0, -2), b.slice(0, -2))
      return [{ dtype: sameDType(inputs), shape: [...batch, a.at(-2)!, b.at(-1)!] }]
    },
  },
  /** MatMul with the second operand transposed in place; both may have more than two axes. */
  FusedMatMul: {
    domain: 'com.microsoft',
    inputs: [2, 2],
    attributes: ['transB'],
    infer: (inputs) => {
      const [a, b] = [inputs[0].shape, inputs[1].shape]
      if (a.length < 2 || b.length < 2) fail('needs matrices')
      if (a.at(-1) !== b.at(-1)) fail(`${showShape(a)} and ${showShape(b)} transposed do not multiply`)
      const batch = broadcast(a.slice(0, -2), b.slice(0, -2))
      return [{ dtype: sameDType(inputs), shape: [...batch, a.at(-2)!, b.at(-2)!] }]
    },
  },
  Gemm: {
    domain: '',
    inputs: [2, 3],
    attributes: ['transB?', 'transA?', 'alpha?', 'beta?'],
    infer: (inputs, attributes) => {
      const [a, b] = [dims(inputs[0], 2), dims(inputs[1], 2)]
      const [m, k] = int(attributes, 'transA', 0) ? [a[1], a[0]] : a
      const [kb, n] = int(attributes, 'transB', 0) ? [b[1], b[0]] : b
      if (k !== kb) fail(`${showShape(a)} and ${showShape(b)} do not multiply`)
      const bias = inputs.at(2)
      if (bias) broadcast(bias.shape, [m, n])
      return [{ dtype: sameDType(inputs), shape: [m, n] }]
    },
  },
  Conv: {
    domain: '',
    inputs: [2, 3],
    attributes: ['kernel_shape', 'pads', 'strides', 'dilations?', 'group?'],
    infer: (inputs, attributes) => {
      const [x, w] = [inputs[0].shape, inputs[1].shape]
      const spatial = x.length - 2
      if (w.length !== x.length) fail(`weight ${showShape(w)} does not fit input ${showShape(x)}`)
      if (w[1]! * int(attributes, 'group', 1) !== x[1])
        fail(`expects ${w[1]! * int(attributes, 'group', 1)} channels but the input ${showShape(x)} has ${x[1]}`)
      const [kernel, pads, strides] = [
        ints(attributes, 'kernel_shape'),
        ints(attributes, 'pads'),
        ints(attributes, 'strides'),
      ]
      const out = Array.from({ length: spatial }, (_, i) => {
        const size = Math.floor((x[2 + i]! + pads[i]! + pads[i + spatial]! - kernel[i]!) / strides[i]!) + 1
        return size > 0 ? size : fail(`input ${showShape(x)} is smaller than the kernel`)
      })
      return [{ dtype: sameDType(inputs), shape: [x[0]!, w[0]!, ...out] }]
    },
  },
  /**
   * (a - a_zero_point) (b - b_zero_point) * a_scale * b_scale + bias, in integers up to the scales. Inputs: a (..., K),
   * b (K, N), a_scale, b_scale () or (N), then optional a_zero_point, b_zero_point, bias (N).
   */
  MatMulIntegerToFloat: {
    domain: 'com.microsoft',
    inputs: [4, 7],
    attributes: [],
    infer: ([a, b, , scale, , , bias]) => {
      const [rows, columns] = dims(b, 2)
      if (a.shape.at(-1) !== rows) fail(`${showShape(a.shape)} and ${showShape(b.shape)} do not multiply`)
      for (const row of [scale, bias])
        if (row && row.shape.length > 0 && row.shape.at(-1) !== columns)
          fail(`${showShape(row.shape)} does not fit ${columns} columns`)
      return [{ dtype: 'float32', shape: [...a.shape.slice(0, -1), columns] }]
    },
  },
  /**
   * query (B, S, heads * d), key and value (B, L, heads * d); optional bias (1 or B, 1 or heads, S, L) as the sixth
   * input.
   */
  MultiHeadAttention: {
    domain: 'com.microsoft',
    inputs: [3, 6],
    attributes: ['num_heads', 'scale?'],
    infer: (inputs, attributes) => {
      const [q, k, v] = [dims(inputs[0], 3), dims(inputs[1], 3), dims(inputs[2], 3)]
      const heads = int(attributes, 'num_heads', 1)
      if (q[2] % heads || k[2] !== q[2]) fail(`query ${showShape(q)} and key ${showShape(k)} do not fit ${heads} heads`)
      if (k[0] !== q[0] || v[0] !== q[0] || k[1] !== v[1])
        fail(`query ${showShape(q)}, key ${showShape(k)} and value ${showShape(v)} do not fit`)
      return [{ dtype: sameDType(inputs.slice(0, 3)), shape: [q[0], q[1], v[2]] }]
    },
  },
} satisfies Record<string, Op>
