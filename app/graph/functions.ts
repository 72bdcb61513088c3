import type { DType } from '#app/tensor/tensor.ts'
import { float32, sameShape, sizeOf, type Shape } from '#app/tensor/tensor.ts'
import type { Value } from './graph.ts'

/** The operators as functions of values. A number stands for a float32 scalar. */

const asValue = (like: Value, x: Value | number): Value => (typeof x === 'number' ? like.builder.scalar(x) : x)

export const add = (a: Value, b: Value | number): Value => a.builder.emit('Add', [a, asValue(a, b)])
export const sub = (a: Value, b: Value | number): Value => a.builder.emit('Sub', [a, asValue(a, b)])
export const mul = (a: Value, b: Value | number): Value => a.builder.emit('Mul', [a, asValue(a, b)])
export const div = (a: Value, b: Value | number): Value => a.builder.emit('Div', [a, asValue(a, b)])
export const matmul = (a: Value, b: Value): Value => a.builder.emit('MatMul', [a, b])
export const softmax = (x: Value, axis = -1): Value =>
  x.builder.emit('Softmax', [x], { axis: axis < 0 ? axis + x.shape.length : axis })
export const cast = (x: Value, to: DType): Value => (x.dtype === to ? x : x.builder.emit('Cast', [x], { to }))

/** One size may be -1: what is left. */
export function reshape(x: Value, shape: Shape): Value {
  const rest = sizeOf(x.shape) / -sizeOf(shape)
  const target = shape.map((size) => (size === -1 ? rest : size))
  return sameShape(target, x.shape) ? x : x.builder.emit('Reshape', [x, x.builder.integers(target)])
}

export const transpose = (x: Value, perm: readonly number[]): Value =>
  perm.every((axis, i) => axis === i) ? x : x.builder.emit('Transpose', [x], { perm })

export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : x.builder.emit('Expand', [x, x.builder.integers(shape)])

export const concat = (values: readonly Value[], axis: number): Value =>
  values.length === 1
    ? values[0]!
    : values[0]!.builder.emit('Concat', values, { axis: axis < 0 ? axis + values[0]!.shape.length : axis })

export const split = <const Sizes extends readonly number[]>(x: Value, sizes: Sizes, axis: number) =>
  x.builder.emitAll('Split', [x, x.builder.integers(sizes)], {
    axis: axis < 0 ? axis + x.shape.length : axis,
  }) as unknown as { readonly [Part in keyof Sizes]: Value }

/** Elements [begin, end) of one axis. */
export function slice(x: Value, axis: number, begin: number, end: number): Value {
  const { builder } = x
  return builder.emit('Slice', [
    x,
    builder.integers([begin]),
    builder.integers([end]),
    builder.integers([axis]),
    builder.integers([1]),
  ])
}

export const gather = (x: Value, indices: Value, axis: number): Value =>
  x.builder.emit('Gather', [x, indices], { axis })

export const reduceMean = (x: Value, axes: readonly number[]): Value =>
  x.builder.emit('ReduceMean', [x, x.builder.integers(axes)])

/** Zeros around the last two axes. */
export function pad2d(x: Value, [top, left, bottom, right]: readonly [number, number, number, number]): Value {
  const lead = new Array<number>(x.shape.length - 2).fill(0)
  return x.builder.emit('Pad', [
    x,
    x.builder.integers([...lead, top, left, ...lead, bottom, right]),
    x.builder.scalar(0),
  ])
}

/** Nearest neighbour to the given height and width, as torch's `interpolate` picks: floor(i * in / out). */
export function interpolateNearest(x: Value, height: number, width: number): Value {
  const sizes = x.builder.integers([...x.shape.slice(0, -2), height, width])
  return x.builder.emit('Resize', [x, null, null, sizes], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  })
}

export const exp = (x: Value): Value => x.builder.emit('Exp', [x])
export const clamp = (x: Value, low: number, high: number): Value =>
  x.builder.emit('Clip', [x, x.builder.scalar(low), x.builder.scalar(high)])

export const constant = (like: Value, shape: Shape, data: Float32Array | readonly number[]): Value =>
  like.builder.constant(float32(shape, data))
