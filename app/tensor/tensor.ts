/** Element types, by the names that torch and numpy use. */
export type DType =
  'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool'

export type Shape = readonly number[]

/** Bytes of one element. */
export const bytesPerElement: Record<DType, number> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
}

/** The array that holds each element type; half floats are kept as their bits. */
export type TensorData<D extends DType = DType> = {
  float64: Float64Array
  float32: Float32Array
  float16: Uint16Array
  bfloat16: Uint16Array
  int64: BigInt64Array
  int32: Int32Array
  int16: Int16Array
  int8: Int8Array
  uint8: Uint8Array
  bool: Uint8Array
}[D]

/** A dense tensor in row-major order. */
export type Tensor<D extends DType = DType> = {
  readonly dtype: D
  readonly shape: Shape
  readonly data: TensorData<D>
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i])

/** (2, 3, 4): how shapes are written in messages. */
export const showShape = (shape: Shape): string => `(${shape.join(', ')})`

type Sizes<N extends number, All extends readonly number[] = readonly []> = All['length'] extends N
  ? All
  : Sizes<N, readonly [...All, number]>

/**
 * The sizes of a tensor, or of a value in a graph, that must have `count` axes: `const [B, C, H, W] = dims(x, 4)`.
 * Throws where it has not.
 */
export function dims<N extends number>({ shape, name }: { shape: Shape; name?: string }, count: N): Sizes<N> {
  if (shape.length === count) return shape as unknown as Sizes<N>
  throw new Error(`${name ?? 'a tensor'} needs ${count} axes and has ${shape.length}: ${showShape(shape)}`)
}

/** A float32 tensor; throws when `data` does not hold exactly the shape's elements. */
export function float32(shape: Shape, data: Float32Array | readonly number[]): Tensor<'float32'> {
  const values = data instanceof Float32Array ? data : Float32Array.from(data)
  if (values.length !== sizeOf(shape)) throw new Error(`${values.length} values do not fill shape ${showShape(shape)}`)
  return { dtype: 'float32', shape, data: values }
}

/** An int64 tensor from plain integers. */
export function int64(shape: Shape, values: readonly number[]): Tensor<'int64'> {
  if (values.length !== sizeOf(shape)) throw new Error(`${values.length} values do not fill shape ${showShape(shape)}`)
  return { dtype: 'int64', shape, data: BigInt64Array.from(values, BigInt) }
}

/** The same elements under another shape of the same size; nothing is copied. */
export function reshaped<D extends DType>(tensor: Tensor<D>, shape: Shape): Tensor<D> {
  if (sizeOf(shape) !== sizeOf(tensor.shape))
    throw new Error(`cannot reshape ${showShape(tensor.shape)} to ${showShape(shape)}`)
  return { ...tensor, shape }
}

/** Rows [begin, end) of the first axis, as a view on the same memory. */
export function rows<D extends DType>(tensor: Tensor<D>, begin: number, end: number): Tensor<D> {
  const row = sizeOf(tensor.shape.slice(1))
  return {
    dtype: tensor.dtype,
    shape: [end - begin, ...tensor.shape.slice(1)],
    data: tensor.data.subarray(begin * row, end * row) as TensorData<D>,
  }
}
