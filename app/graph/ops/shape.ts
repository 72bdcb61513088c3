import { sameShape, showShape, sizeOf } from '#app/tensor/tensor.ts'
import { broadcast } from '../broadcast.ts'
import { at, axisOf, fail, int, integers, ints, replaced, sameDType, type Op } from './op.ts'

/** Operators that move elements about, and the loop over slices. */
export const shape = {
  Reshape: {
    domain: '',
    inputs: [2, 2],
    attributes: [],
    infer: ([x, target], _, constantOf) => {
      const shape = integers(constantOf(target))
      if (sizeOf(shape) !== sizeOf(x.shape)) fail(`${showShape(x.shape)} does not reshape to ${showShape(shape)}`)
      return [{ dtype: x.dtype, shape }]
    },
  },
  Expand: {
    domain: '',
    inputs: [2, 2],
    attributes: [],
    infer: ([x, target], _, constantOf) => [
      { dtype: x.dtype, shape: broadcast(x.shape, integers(constantOf(target))) },
    ],
  },
  Transpose: {
    domain: '',
    inputs: [1, 1],
    attributes: ['perm'],
    infer: ([x], attributes) => {
      const perm = ints(attributes, 'perm')
      if (perm.length !== x.shape.length || new Set(perm).size !== perm.length)
        fail(`permutation ${perm.join()} does not fit ${showShape(x.shape)}`)
      return [{ dtype: x.dtype, shape: perm.map((axis) => at(x.shape, axis)) }]
    },
  },
  Concat: {
    domain: '',
    inputs: [1, 4096],
    attributes: ['axis'],
    infer: (inputs, attributes) => {
      const first = inputs[0].shape
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
      const axis = axisOf(int(attributes, 'axis', 0), x.shape.length)
      const parts = integers(constantOf(sizes))
      if (parts.reduce((sum, part) => sum + part, 0) !== x.shape[axis])
        fail(`parts ${parts.join('+')} do not make ${x.shape[axis]}`)
      return parts.map((part) => ({ dtype: x.dtype, shape: replaced(x.shape, axis, part) }))
    },
  },
  Slice: {
    domain: '',
    inputs: [5, 5],
    attributes: [],
    infer: ([x, starts, ends, axes, steps], _, constantOf) => {
      const shape = [...x.shape]
      const [from, to, by] = [starts, ends, steps].map((value) => integers(constantOf(value))) as [
        number[],
        number[],
        number[],
      ]
      integers(constantOf(axes)).forEach((axis, i) => {
        const size = at(shape, axisOf(axis, shape.length))
        const clamp = (index: number): number => Math.min(Math.max(index < 0 ? index + size : index, 0), size)
        const step = at(by, i)
        if (step < 1) fail('steps must be positive')
        shape[axisOf(axis, shape.length)] = Math.max(0, Math.ceil((clamp(at(to, i)) - clamp(at(from, i))) / step))
      })
      return [{ dtype: x.dtype, shape }]
    },
  },
  Gather: {
    domain: '',
    inputs: [2, 2],
    attributes: ['axis'],
    infer: ([x, indices], attributes) => {
      const axis = axisOf(int(attributes, 'axis', 0), x.shape.length)
      return [{ dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] }]
    },
  },
  Pad: {
    domain: '',
    inputs: [2, 3],
    attributes: ['mode?'],
    infer: ([x, pads], _, constantOf) => {
      const amounts = integers(constantOf(pads))
      const rank = x.shape.length
      return [{ dtype: x.dtype, shape: x.shape.map((size, i) => size + amounts[i]! + amounts[i + rank]!) }]
    },
  },
  Resize: {
    domain: '',
    inputs: [4, 4],
    attributes: ['mode', 'coordinate_transformation_mode', 'nearest_mode'],
    infer: ([x, , , sizes], _, constantOf) => [{ dtype: x.dtype, shape: integers(constantOf(sizes)) }],
  },
  Scan: {
    domain: '',
    inputs: [1, 8],
    attributes: ['num_scan_inputs', 'scan_input_axes', 'scan_output_axes'],
    infer: (inputs, attributes, _, body) => {
      if (!body) return fail('needs a body')
      const axes = ints(attributes, 'scan_input_axes')
      const count = at(inputs[0].shape, at(axes, 0))
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
} satisfies Record<string, Op>
