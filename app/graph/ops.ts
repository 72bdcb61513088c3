import { sameShape, sizeOf, showShape, type DType, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { broadcast } from './broadcast.ts'
import type { Attributes, Body, Value } from './graph.ts'

export type Outline = { readonly dtype: DType; readonly shape: Shape }
type Infer = (
  inputs: readonly Value[],
  attributes: Attributes,
  constantOf: (value: Value) => Tensor,
  body: Body | undefined,
) => Outline[]

/** One row of the op table: what is legal, and what comes out. `infer` throws a plain Error that says what does not fit. */
export type Op = {
  /** 'com.microsoft' for the operators that onnxruntime adds to ONNX. */
  readonly domain: '' | 'com.microsoft'
  /** Fewest and most inputs. */
  readonly inputs: readonly [number, number]
  /** Attribute names; a trailing '?' marks an optional one. */
  readonly attributes: readonly string[]
  readonly infer: Infer
}

const floating: readonly DType[] = ['float32', 'float16', 'float64']

function fail(message: string): never {
  throw new Error(message)
}
function at<T>(items: readonly T[], index: number): T {
  return items[index] ?? fail(`needs at least ${index + 1} inputs or axes`)
}
const same = (input: Value): Outline[] => [{ dtype: input.dtype, shape: input.shape }]
const int = (attributes: Attributes, name: string, otherwise: number): number =>
  (attributes[name] as number | undefined) ?? otherwise
const ints = (attributes: Attributes, name: string): readonly number[] => attributes[name] as readonly number[]
const integers = (tensor: Tensor): number[] => Array.from(tensor.data as ArrayLike<number | bigint>, Number)
const axisOf = (axis: number, rank: number): number => {
  const positive = axis < 0 ? axis + rank : axis
  return positive >= 0 && positive < rank ? positive : fail(`axis ${axis} is outside a tensor of ${rank} axes`)
}
const replaced = (shape: Shape, axis: number, size: number): Shape => shape.map((old, i) => (i === axis ? size : old))

function sameDType(inputs: readonly Value[]): DType {
  const { dtype } = at(inputs, 0)
  for (const input of inputs) if (input.dtype !== dtype) fail(`mixes ${dtype} and ${input.dtype}`)
  return dtype
}

const unary = (domain: Op['domain'] = '', attributes: readonly string[] = []): Op => ({
  domain,
  inputs: [1, 1],
  attributes,
  infer: ([x]) => (floating.includes(x!.dtype) ? same(x!) : fail(`needs a floating type, not ${x!.dtype}`)),
})

const binary: Op = {
  domain: '',
  inputs: [2, 2],
  attributes: [],
  infer: (inputs) => [{ dtype: sameDType(inputs), shape: broadcast(inputs[0]!.shape, inputs[1]!.shape) }],
}

const reduce: Op = {
  domain: '',
  inputs: [2, 2],
  attributes: ['keepdims?'],
  infer: ([x, axes], attributes, constantOf) => {
    const reduced = new Set(integers(constantOf(axes!)).map((axis) => axisOf(axis, x!.shape.length)))
    const shape =
      int(attributes, 'keepdims', 1) === 1
        ? x!.shape.map((size, i) => (reduced.has(i) ? 1 : size))
        : x!.shape.filter((_, i) => !reduced.has(i))
    return [{ dtype: x!.dtype, shape }]
  },
}

/** Every operator that a graph may hold. Semantics: ONNX operators, opset 21, and onnxruntime's ContribOperators.md. */
const table = {
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
  Softmax: unary('', ['axis']),
  Identity: { domain: '', inputs: [1, 1], attributes: [], infer: ([x]) => same(x!) },
  Clip: {
    domain: '',
    inputs: [3, 3],
    attributes: [],
    infer: (inputs) => [{ dtype: sameDType(inputs), shape: inputs[0]!.shape }],
  },
  ReduceMean: reduce,
  ReduceSum: reduce,
  Cast: {
    domain: '',
    inputs: [1, 1],
    attributes: ['to'],
    infer: ([x], attributes) => [{ dtype: attributes.to as DType, shape: x!.shape }],
  },
  MatMul: {
    domain: '',
    inputs: [2, 2],
    attributes: [],
    infer: (inputs) => {
      const [a, b] = [inputs[0]!.shape, inputs[1]!.shape]
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
      const [a, b] = [inputs[0]!.shape, inputs[1]!.shape]
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
      const [a, b] = [inputs[0]!.shape, inputs[1]!.shape]
      if (a.length !== 2 || b.length !== 2) fail('needs two matrices')
      const [m, k] = int(attributes, 'transA', 0) ? [a[1]!, a[0]!] : [a[0]!, a[1]!]
      const [kb, n] = int(attributes, 'transB', 0) ? [b[1]!, b[0]!] : [b[0]!, b[1]!]
      if (k !== kb) fail(`${showShape(a)} and ${showShape(b)} do not multiply`)
      if (inputs[2]) broadcast(inputs[2].shape, [m, n])
      return [{ dtype: sameDType(inputs), shape: [m, n] }]
    },
  },
  Conv: {
    domain: '',
    inputs: [2, 3],
    attributes: ['kernel_shape', 'pads', 'strides', 'dilations?', 'group?'],
    infer: (inputs, attributes) => {
      const [x, w] = [inputs[0]!.shape, inputs[1]!.shape]
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
  AveragePool: {
    domain: '',
    inputs: [1, 1],
    attributes: ['kernel_shape', 'strides'],
    infer: ([x], attributes) => {
      const [kernel, strides] = [ints(attributes, 'kernel_shape'), ints(attributes, 'strides')]
      const lead = x!.shape.length - kernel.length
      const out = kernel.map((size, i) => Math.floor((x!.shape[lead + i]! - size) / at(strides, i)) + 1)
      if (out.some((size) => size < 1)) fail(`${showShape(x!.shape)} is smaller than the window`)
      return [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, lead), ...out] }]
    },
  },
  Reshape: {
    domain: '',
    inputs: [2, 2],
    attributes: [],
    infer: ([x, target], _, constantOf) => {
      const shape = integers(constantOf(target!))
      if (sizeOf(shape) !== sizeOf(x!.shape)) fail(`${showShape(x!.shape)} does not reshape to ${showShape(shape)}`)
      return [{ dtype: x!.dtype, shape }]
    },
  },
  Expand: {
    domain: '',
    inputs: [2, 2],
    attributes: [],
    infer: ([x, target], _, constantOf) => [
      { dtype: x!.dtype, shape: broadcast(x!.shape, integers(constantOf(target!))) },
    ],
  },
  Transpose: {
    domain: '',
    inputs: [1, 1],
    attributes: ['perm'],
    infer: ([x], attributes) => {
      const perm = ints(attributes, 'perm')
      if (perm.length !== x!.shape.length || new Set(perm).size !== perm.length)
        fail(`permutation ${perm.join()} does not fit ${showShape(x!.shape)}`)
      return [{ dtype: x!.dtype, shape: perm.map((axis) => at(x!.shape, axis)) }]
    },
  },
  Concat: {
    domain: '',
    inputs: [1, 4096],
    attributes: ['axis'],
    infer: (inputs, attributes) => {
      const first = inputs[0]!.shape
      const axis = axisOf(int(attributes, 'axis', 0), first.length)
      for (const { shape } of inputs)
        if (shape.length !== first.length || shape.some((size, i) => i !== axis && size !== first[i]))
          fail(`${showShape(first)} and ${showShape(shape)} do not join along axis ${axis}`)
      const total = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0)
      return [{ dtype: sameDType(inputs), shape: replaced(first, axis, total) }]
    },
  },
  Split: {
    domain: '',
    inputs: [2, 2],
    attributes: ['axis'],
    infer: ([x, sizes], attributes, constantOf) => {
      const axis = axisOf(int(attributes, 'axis', 0), x!.shape.length)
      const parts = integers(constantOf(sizes!))
      if (parts.reduce((sum, part) => sum + part, 0) !== x!.shape[axis])
        fail(`parts ${parts.join('+')} do not make ${x!.shape[axis]}`)
      return parts.map((part) => ({ dtype: x!.dtype, shape: replaced(x!.shape, axis, part) }))
    },
  },
  Slice: {
    domain: '',
    inputs: [5, 5],
    attributes: [],
    infer: ([x, starts, ends, axes, steps], _, constantOf) => {
      const shape = [...x!.shape]
      const [from, to, along, by] = [starts!, ends!, axes!, steps!].map((value) => integers(constantOf(value)))
      along!.forEach((axis, i) => {
        const size = shape[axisOf(axis, shape.length)]!
        const clamp = (index: number): number => Math.min(Math.max(index < 0 ? index + size : index, 0), size)
        if (by![i]! < 1) fail('steps must be positive')
        shape[axisOf(axis, shape.length)] = Math.max(0, Math.ceil((clamp(to![i]!) - clamp(from![i]!)) / by![i]!))
      })
      return [{ dtype: x!.dtype, shape }]
    },
  },
  Gather: {
    domain: '',
    inputs: [2, 2],
    attributes: ['axis'],
    infer: ([x, indices], attributes) => {
      const axis = axisOf(int(attributes, 'axis', 0), x!.shape.length)
      return [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)] }]
    },
  },
  ArgMax: {
    domain: '',
    inputs: [1, 1],
    attributes: ['axis', 'keepdims'],
    infer: ([x], attributes) => {
      const axis = axisOf(int(attributes, 'axis', 0), x!.shape.length)
      const shape = int(attributes, 'keepdims', 1) ? replaced(x!.shape, axis, 1) : x!.shape.filter((_, i) => i !== axis)
      return [{ dtype: 'int64', shape }]
    },
  },
  Equal: {
    domain: '',
    inputs: [2, 2],
    attributes: [],
    infer: (inputs) => {
      sameDType(inputs)
      return [{ dtype: 'bool', shape: broadcast(inputs[0]!.shape, inputs[1]!.shape) }]
    },
  },
  Pad: {
    domain: '',
    inputs: [2, 3],
    attributes: ['mode?'],
    infer: ([x, pads], _, constantOf) => {
      const amounts = integers(constantOf(pads!))
      const rank = x!.shape.length
      return [{ dtype: x!.dtype, shape: x!.shape.map((size, i) => size + amounts[i]! + amounts[i + rank]!) }]
    },
  },
  Resize: {
    domain: '',
    inputs: [4, 4],
    attributes: ['mode', 'coordinate_transformation_mode', 'nearest_mode'],
    infer: ([x, , , sizes], _, constantOf) => [{ dtype: x!.dtype, shape: integers(constantOf(sizes!)) }],
  },
  InstanceNormalization: {
    domain: '',
    inputs: [3, 3],
    attributes: ['epsilon'],
    infer: ([x, scale, bias]) => {
      if (scale!.shape[0] !== x!.shape[1] || bias!.shape[0] !== x!.shape[1])
        fail(`scale ${showShape(scale!.shape)} does not fit ${showShape(x!.shape)}`)
      return same(x!)
    },
  },
  LayerNormalization: {
    domain: '',
    inputs: [2, 3],
    attributes: ['axis', 'epsilon'],
    infer: ([x, scale]) => {
      if (scale!.shape.at(-1) !== x!.shape.at(-1))
        fail(`scale ${showShape(scale!.shape)} does not fit ${showShape(x!.shape)}`)
      return same(x!)
    },
  },
  /** Without the mean and the bias: root mean square normalisation. onnxruntime has it in ONNX's own domain. */
  SimplifiedLayerNormalization: {
    domain: '',
    inputs: [2, 2],
    attributes: ['axis', 'epsilon'],
    infer: ([x, scale]) => {
      if (scale!.shape.at(-1) !== x!.shape.at(-1))
        fail(`scale ${showShape(scale!.shape)} does not fit ${showShape(x!.shape)}`)
      return same(x!)
    },
  },
  /** float32 -> uint8 of the same shape, its scale and its zero point, taken from the least and the largest value. */
  DynamicQuantizeLinear: {
    domain: '',
    inputs: [1, 1],
    attributes: [],
    infer: ([x]) => [
      { dtype: 'uint8', shape: x!.shape },
      { dtype: 'float32', shape: [] },
      { dtype: 'uint8', shape: [] },
    ],
  },
  /**
   * (a - a_zero_point) (b - b_zero_point) * a_scale * b_scale + bias, in integers up to the scales. Inputs: a (..., K), b (K, N),
   * a_scale, b_scale () or (N), then optional a_zero_point, b_zero_point, bias (N).
   */
  MatMulIntegerToFloat: {
    domain: 'com.microsoft',
    inputs: [4, 7],
    attributes: [],
    infer: ([a, b, , scale, , , bias]) => {
      if (b!.shape.length !== 2 || a!.shape.at(-1) !== b!.shape[0])
        fail(`${showShape(a!.shape)} and ${showShape(b!.shape)} do not multiply`)
      for (const row of [scale, bias])
        if (row && row.shape.length > 0 && row.shape.at(-1) !== b!.shape[1])
          fail(`${showShape(row.shape)} does not fit ${b!.shape[1]} columns`)
      return [{ dtype: 'float32', shape: [...a!.shape.slice(0, -1), b!.shape[1]!] }]
    },
  },
  Scan: {
    domain: '',
    inputs: [1, 8],
    attributes: ['num_scan_inputs', 'scan_input_axes', 'scan_output_axes'],
    infer: (inputs, attributes, _, body) => {
      if (!body) return fail('needs a body')
      const axes = ints(attributes, 'scan_input_axes')
      const count = inputs[0]!.shape[at(axes, 0)]!
      inputs.forEach(({ shape }, i) => {
        const slice = shape.toSpliced(at(axes, i), 1)
        const expected = at(body.inputs, i).shape
        if (!sameShape(slice, expected))
          fail(`slices ${showShape(slice)} do not fit the body's input ${showShape(expected)}`)
        if (shape[at(axes, i)] !== count) fail(`has ${shape[at(axes, i)]} slices of one input and ${count} of another`)
      })
      return [{ dtype: body.output.dtype, shape: body.output.shape.toSpliced(at(axes, 0), 0, count) }]
    },
  },
  /** query (B, S, heads * d), key and value (B, L, heads * d); optional bias (1 or B, 1 or heads, S, L) as the sixth input. */
  MultiHeadAttention: {
    domain: 'com.microsoft',
    inputs: [3, 6],
    attributes: ['num_heads', 'scale?'],
    infer: (inputs, attributes) => {
      const [q, k, v] = [inputs[0]!.shape, inputs[1]!.shape, inputs[2]!.shape]
      const heads = int(attributes, 'num_heads', 1)
      if (q.length !== 3 || k.length !== 3 || v.length !== 3) fail('needs (batch, sequence, hidden) tensors')
      if (q[2]! % heads || k[2] !== q[2])
        fail(`query ${showShape(q)} and key ${showShape(k)} do not fit ${heads} heads`)
      if (k[0] !== q[0] || v[0] !== q[0] || k[1] !== v[1])
        fail(`query ${showShape(q)}, key ${showShape(k)} and value ${showShape(v)} do not fit`)
      return [{ dtype: sameDType(inputs.slice(0, 3)), shape: [q[0]!, q[1]!, v[2]!] }]
    },
  },
} satisfies Record<string, Op>

export type OpName = keyof typeof table
export const ops: Readonly<Record<OpName, Op>> = table
