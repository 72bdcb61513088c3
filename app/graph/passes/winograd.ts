import { float32 } from '#app/tensor/tensor.ts'
import { add, cast, clamp, matmul, mul, reshape, slice, transpose } from '../functions.ts'
import type { Graph, Node, Value } from '../graph.ts'
import { replaceNodes } from './replace-nodes.ts'
import { weightViews } from './weight-views.ts'
import { axisTransform, squared, transforms, type Transforms } from './winograd-transforms.ts'

export type ConvKernel = 'direct' | 'winograd2' | 'winograd4'

/** A 3x3 convolution with stride 1 over (batch, input, height, width); sizes are those of the output. */
export type ConvShape = {
  readonly batch: number
  readonly input: number
  readonly output: number
  readonly height: number
  readonly width: number
}

/** Transformed tiles are held for at most this many bytes at a time. */
const mostTileBytes = 64 * 2 ** 20

/**
 * 3x3 convolutions by Winograd's minimal filtering, as plain products: 2.25 times fewer multiplications with tiles of 2, 4 times
 * fewer with tiles of 4. The weights are transformed in the graph, so that they stay pages of their file.
 */
export function winograd(graph: Graph, choose: (shape: ConvShape) => ConvKernel): Graph {
  const view = weightViews(graph)
  return replaceNodes(graph, (node, { maker }) => {
    const shape = convShape(node)
    const kernel = shape ? choose(shape) : 'direct'
    if (kernel === 'direct') return undefined
    return () => {
      const weight = node.inputs[1]!
      const flat = [weight.shape[0]! * weight.shape[1]!, 9]
      const filters = filterTransform(graph, view(weight, maker, flat) ?? reshape(weight, flat), transforms[kernel])
      return [winogradConv(node, filters, transforms[kernel])]
    }
  })
}

/**
 * (O * C, 9) -> (side * side, O * C), side = tile + 2. onnxruntime computes what depends on no input when it opens a graph, and keeps
 * it: four times the weights. So this depends on an input, by a factor that is always 1.
 */
function filterTransform(graph: Graph, weight: Value, { tile, weights }: Transforms): Value {
  const anyInput = graph.inputs[0]!
  const element = cast(slice(reshape(anyInput, [-1]), 0, 0, 1), 'float32')
  const one = add(mul(clamp(element, -1, 1), 0), 1)
  const transform = mul(matrix(weight, (tile + 2) ** 2, squared(weights)), one)
  return weight.builder.emit('FusedMatMul', [transform, weight], { transB: 1 })
}

/** The convolution's shape where it is of the kind that Winograd's filtering is for. */
export function convShape({ op, inputs, outputs, attributes }: Node): ConvShape | undefined {
  if (op !== 'Conv') return undefined
  const [batch, output, height, width] = outputs[0]!.shape as [number, number, number, number?]
  const { kernel_shape: kernel, strides, pads, dilations = [1, 1], group = 1 } = attributes
  const is = (value: unknown, expected: string): boolean => String(value) === expected
  const plain = is(kernel, '3,3') && is(strides, '1,1') && is(dilations, '1,1') && group === 1
  const evenly = is(pads, '1,1,1,1') || is(pads, '0,0,0,0')
  if (!plain || !evenly || width === undefined || inputs[0]!.dtype !== 'float32') return undefined
  return { batch, input: inputs[0]!.shape[1]!, output, height, width }
}

function winogradConv(node: Node, filters: Value, transform: Transforms): Value {
  const [x, weight, bias] = node.inputs as [Value, Value, Value?]
  const [output, input] = weight.shape as [number, number]
  const side = transform.tile + 2
  const shape = node.outputs[0]!.shape as [number, number, number, number]
  const padding = (node.attributes['pads'] as readonly number[])[0]!
  const own = (images: Value): Value =>
    filterTiles(images, reshape(filters, [side * side, output, input]), transform, shape, padding)
  const y = inGroups(x, imagesAtATime(shape, Math.max(input, output), transform), own)
  return bias ? add(y, reshape(bias, [output, 1, 1])) : y
}

function imagesAtATime([batch, , height, width]: readonly number[], channels: number, { tile }: Transforms): number {
  const bytes = 4 * (tile + 2) ** 2 * Math.ceil(height! / tile) * Math.ceil(width! / tile) * channels
  const most = Math.max(1, Math.floor(mostTileBytes / bytes))
  return Array.from({ length: Math.min(most, batch!) }, (_, i) => i + 1).findLast((count) => batch! % count === 0)!
}

function inGroups(x: Value, size: number, each: (images: Value) => Value): Value {
  const [batch, ...rest] = x.shape as [number, ...number[]]
  if (size === batch) return each(x)
  const groups = reshape(x, [batch / size, size, ...rest])
  const stacked = x.builder.scan([groups], 0, (images) => each(images))
  return reshape(stacked, [batch, ...stacked.shape.slice(2)])
}

/** (N, C, H, W) and filters (side * side, O, C) -> (N, O, H', W'). */
function filterTiles(
  x: Value,
  filters: Value,
  transform: Transforms,
  [, , outHeight, outWidth]: readonly number[],
  padding: number,
): Value {
  const { tile, outputs } = transform
  const side = tile + 2
  const [batch, channels, height, width] = x.shape as [number, number, number, number]
  const out = filters.shape[1]!
  const [rows, columns] = [Math.ceil(outHeight! / tile), Math.ceil(outWidth! / tile)]
  const along = (size: number, tiles: number): Value =>
    matrix(x, side * tiles, axisTransform(transform, size, tiles, padding))

  // Channels last, so that all that is moved about are whole rows of channels.
  const pixels = transpose(reshape(x, [batch, channels, height * width]), [0, 2, 1])
  const byRow = matmul(along(height, rows), reshape(pixels, [batch, height, width * channels]))
  const byColumn = matmul(along(width, columns), reshape(byRow, [batch, side * rows, width, channels]))
  const places = transpose(reshape(byColumn, [batch, side, rows, side, columns * channels]), [1, 3, 0, 2, 4])
  const tiles = batch * rows * columns
  const products = x.builder.emit('FusedMatMul', [reshape(places, [side * side, tiles, channels]), filters], {
    transB: 1,
  }) // (side * side, tiles, O)
  const results = matmul(matrix(x, tile * tile, squared(outputs)), reshape(products, [side * side, tiles * out]))
  const image = transpose(reshape(results, [tile, tile, batch, rows, columns, out]), [2, 3, 0, 4, 1, 5])
  const whole = reshape(image, [batch, rows * tile, columns * tile, out])
  const cropped = crop(crop(whole, 1, outHeight!), 2, outWidth!)
  return reshape(transpose(reshape(cropped, [batch, outHeight! * outWidth!, out]), [0, 2, 1]), [
    batch,
    out,
    outHeight!,
    outWidth!,
  ])
}

const crop = (x: Value, axis: number, size: number): Value => (x.shape[axis] === size ? x : slice(x, axis, 0, size))

const matrix = (like: Value, rows: number, entries: readonly number[]): Value =>
  like.builder.constant(float32([rows, entries.length / rows], entries))
