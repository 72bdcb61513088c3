import { float32, int64 } from '#app/tensor/tensor.ts'
import { add, cast, gather, matmul, mul, pad2d, reshape, slice, transpose } from '../functions.ts'
import type { Graph, Node, Value } from '../graph.ts'
import { alwaysOne } from './always-one.ts'
import { inPieces } from './pieces.ts'
import { replaceNodes } from './replace-nodes.ts'
import { weightViews } from './weight-views.ts'
import { squared, transforms, type Transforms } from './winograd-transforms.ts'

export type ConvKernel = 'direct' | 'winograd2' | 'winograd4'

/** A 3x3 convolution with stride 1 over (batch, input, height, width); sizes are those of the output. */
export type ConvShape = {
  readonly batch: number
  readonly input: number
  readonly output: number
  readonly height: number
  readonly width: number
}

/** Transformed tiles are held for about this many bytes at a time. */
const tileBytes = 16 * 2 ** 20

/**
 * So are transformed weights, where they are more than the tiles: those of the deepest layers of a UNet are four times 118 MB, at a time
 * when little else is in memory (docs/decisions.md).
 */
const filterPieceBytes = 32 * 2 ** 20

/** Which pixels make up the tiles, by what they depend on: convolutions of one size share them. */
type Tables = Map<string, Value>

/**
 * 3x3 convolutions by Winograd's minimal filtering, as plain products: 2.25 times fewer multiplications with tiles of 2, 4 times
 * fewer with tiles of 4. The weights are transformed in the graph, so that they stay pages of their file.
 */
export function winograd(graph: Graph, choose: (shape: ConvShape) => ConvKernel): Graph {
  const view = weightViews(graph)
  const tables: Tables = new Map()
  return replaceNodes(graph, (node, { maker }) => {
    const shape = convShape(node)
    const kernel = shape ? choose(shape) : 'direct'
    if (kernel === 'direct') return undefined
    const weight = node.inputs[1]!
    const channels = weight.shape[1]!
    const rowsOf = (begin: number, end: number): Value => {
      const flat = [(end - begin) * channels, 9]
      const whole = begin === 0 && end === weight.shape[0]
      return view(weight, maker, flat, [begin, end]) ?? reshape(whole ? weight : slice(weight, 0, begin, end), flat)
    }
    return () => [winogradConv(node, rowsOf, transforms[kernel], tables)]
  })
}

/** The weights of some output channels, (O * C, 9). */
type RowsOf = (begin: number, end: number) => Value

/**
 * (O * C, 9) -> (side * side, O * C), side = tile + 2. onnxruntime computes what depends on no input when it opens a graph, and keeps
 * it, and what depends on an early one as soon as it can: four times the weights of all layers. So this depends on `after`, by a
 * factor that is always 1.
 */
function filterTransform(after: Value, weight: Value, { weights }: Transforms): Value {
  const one = cast(alwaysOne(after), 'float32')
  const transform = mul(matrix(weight, squared(weights), 9), one)
  // late-shapes.ts makes this shape known late, and so that of the result: its memory is not kept for the next of its size.
  const late = weight.builder.emit('Reshape', [transform, weight.builder.integers(transform.shape)])
  return weight.builder.emit('FusedMatMul', [late, weight], { transB: 1 })
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

function winogradConv(node: Node, rowsOf: RowsOf, transform: Transforms, tables: Tables): Value {
  const { tile, inputs, outputs } = transform
  const [x, weight, bias] = node.inputs as [Value, Value, Value?]
  const [out, channels] = weight.shape as [number, number]
  const [batch, , outHeight, outWidth] = node.outputs[0]!.shape as [number, number, number, number]
  const places = (tile + 2) ** 2
  const [rows, columns] = [Math.ceil(outHeight / tile), Math.ceil(outWidth / tile)]
  const grid: Grid = { batch, rows, columns, tile }

  // Channels last, so that all that is moved about are whole rows of channels.
  const padding = (node.attributes['pads'] as readonly number[])[0]!
  const [height, width] = [rows * tile + 2, columns * tile + 2]
  const [below, right] = [height - x.shape[2]! - padding, width - x.shape[3]! - padding]
  const padded = pad2d(x, [padding, padding, below, right])
  const pixels = transpose(reshape(padded, [batch, channels, height * width]), [0, 2, 1])
  const flat = reshape(pixels, [batch * height * width, channels])

  /** Pixels at the places of tiles (places * tiles) -> transformed (places, tiles, C). */
  const tilesAt = (table: Value): Value => {
    const tiles = table.shape[0]! / places
    const gathered = reshape(gather(flat, table, 0), [places, tiles * channels])
    return reshape(matmul(matrix(x, squared(inputs), places), gathered), [places, tiles, channels])
  }
  /** Transformed tiles (places, tiles, C) and filters (places, O * C) -> rows of the image (tile rows, tile, tile columns, tile, O). */
  const product = (transformed: Value, filters: Value): Value => {
    const [, tiles] = transformed.shape as [number, number]
    const perPlace = reshape(filters, [places, -1, channels])
    const products = x.builder.emit('FusedMatMul', [transformed, perPlace], { transB: 1 }) // (places, tiles, O)
    const results = matmul(matrix(x, squared(outputs), places), reshape(products, [places, -1]))
    return transpose(reshape(results, [tile, tile, tiles / columns, columns, -1]), [2, 0, 3, 1, 4])
  }

  const tileCount = batch * rows * columns
  const filterBytes = 4 * places * out * channels
  const image = (): Value => {
    if (filterBytes > filterPieceBytes && tileCount < out) {
      const transformed = tilesAt(reshape(tableOf(x, grid, batch * rows, tables), [-1]))
      let last = transformed
      return inPieces(out, filterPieceBytes / (filterBytes / out), 4, (begin, end) => {
        last = product(transformed, filterTransform(last, rowsOf(begin, end), transform))
        return last
      })
    }
    const filters = filterTransform(x, rowsOf(0, out), transform)
    const atATime = rowsAtATime(batch * rows, 4 * places * columns * Math.max(channels, out))
    const table = tableOf(x, grid, atATime, tables)
    if (atATime === batch * rows) return product(tilesAt(reshape(table, [-1])), filters)
    return x.builder.scan([table], 0, (at) => product(tilesAt(at), filters))
  }
  const whole = reshape(image(), [batch, rows * tile, columns * tile, out])
  const cropped = crop(crop(whole, 1, outHeight), 2, outWidth)
  const y = reshape(transpose(reshape(cropped, [batch, outHeight * outWidth, out]), [0, 2, 1]), node.outputs[0]!.shape)
  return bias ? add(y, reshape(bias, [out, 1, 1])) : y
}

const crop = (x: Value, axis: number, size: number): Value => (x.shape[axis] === size ? x : slice(x, axis, 0, size))

const matrix = (like: Value, entries: readonly number[], columns: number): Value =>
  like.builder.constant(float32([entries.length / columns, columns], entries))

/** The most rows of tiles that divide all of them and stay within the bytes. */
function rowsAtATime(rows: number, bytesOfRow: number): number {
  const most = Math.min(rows, Math.max(1, Math.floor(tileBytes / bytesOfRow)))
  return Array.from({ length: most }, (_, i) => i + 1).findLast((count) => rows % count === 0)!
}

type Grid = { readonly batch: number; readonly rows: number; readonly columns: number; readonly tile: number }

/** For each group of rows of tiles, the pixels at each place of its tiles, in images that are padded to whole tiles. */
function tableOf(like: Value, { batch, rows, columns, tile }: Grid, atATime: number, tables: Tables): Value {
  const key = [batch, rows, columns, tile, atATime].join()
  const known = tables.get(key)
  if (known) return known
  const side = tile + 2
  const [height, width] = [rows * tile + 2, columns * tile + 2]
  const groups = (batch * rows) / atATime
  const pixels: number[] = []
  for (let group = 0; group < groups; group++)
    for (let place = 0; place < side * side; place++)
      for (let row = group * atATime; row < (group + 1) * atATime; row++)
        for (let column = 0; column < columns; column++) {
          const y = Math.floor(row / rows) * height + (row % rows) * tile + Math.floor(place / side)
          pixels.push(y * width + column * tile + (place % side))
        }
  const table = like.builder.constant(int64([groups, side * side * atATime * columns], pixels))
  tables.set(key, table)
  return table
}
