import { dims, float32 } from '#app/tensor/tensor.ts'
import { add, concat, gather, matmul, pad2d, reshape, slice, transpose } from '../functions.ts'
import type { Node, Value } from '../graph.ts'
import { piecesOf } from './pieces.ts'
import type { Replace } from './replace-nodes.ts'
import { transforms, type Transforms } from './winograd-transforms.ts'

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
 * Transformed weights too are held in pieces, where they are more than the tiles: those of the deepest layers of a UNet
 * are four times 118 MB, at a time when little else is in memory (docs/decisions/memory.md, "Winograd's weights in
 * pieces"). A piece takes what tiles leave of the first figure, and at least the second.
 */
const [workBytes, fewestPieceBytes] = [80 * 2 ** 20, 32 * 2 ** 20]

/**
 * 3x3 convolutions by Winograd's minimal filtering, as plain products: 2.25 times fewer multiplications with tiles of
 * 2, 4 times fewer with tiles of 4. The weights are transformed in the graph, so that they stay pages of their file.
 */
export function winograd(choose: (shape: ConvShape) => ConvKernel): Replace {
  return (node, { view }) => {
    const shape = convShape(node)
    const kernel = shape ? choose(shape) : 'direct'
    if (kernel === 'direct') return undefined
    const weight = node.inputs[1]!
    const channels = weight.shape[1]!
    const rowsOf = (begin: number, end: number): Value => {
      const flat = [(end - begin) * channels, 9]
      const whole = begin === 0 && end === weight.shape[0]
      return view(weight, flat, [begin, end]) ?? reshape(whole ? weight : slice(weight, 0, begin, end), flat)
    }
    return () => [winogradConv(node, rowsOf, transforms[kernel])]
  }
}

/** The weights of some output channels, (O * C, 9). */
type RowsOf = (begin: number, end: number) => Value

/** (O * C, 9) -> (side * side, O, C), side = tile + 2. */
function filterTransform(weight: Value, channels: number, { weights }: Transforms): Value {
  const transform = squared(weight, weights)
  const filters = weight.builder.emit('FusedMatMul', [transform, weight], { transB: 1 })
  return reshape(filters, [transform.shape[0]!, -1, channels])
}

/** The convolution's shape where it is of the kind that Winograd's filtering is for. */
export function convShape({ op, inputs, outputs, attributes }: Node): ConvShape | undefined {
  if (op !== 'Conv') return undefined
  const { kernel_shape: kernel, strides, pads, dilations = [1, 1], group = 1 } = attributes
  const is = (value: unknown, expected: string): boolean => String(value) === expected
  const plain = is(kernel, '3,3') && is(strides, '1,1') && is(dilations, '1,1') && group === 1
  const evenly = is(pads, '1,1,1,1') || is(pads, '0,0,0,0')
  const [x] = inputs as [Value]
  if (!plain || !evenly || x.dtype !== 'float32') return undefined
  const [batch, output, height, width] = dims(outputs[0]!, 4)
  return { batch, input: dims(x, 4)[1], output, height, width }
}

function winogradConv(node: Node, rowsOf: RowsOf, transform: Transforms): Value {
  const { tile, inputs, outputs } = transform
  const [x, weight, bias] = node.inputs as [Value, Value, Value?]
  const [out, channels] = dims(weight, 4)
  const [batch, , outHeight, outWidth] = dims(node.outputs[0]!, 4)
  const places = (tile + 2) ** 2
  const [rows, columns] = [Math.ceil(outHeight / tile), Math.ceil(outWidth / tile)]
  const grid: Grid = { batch, rows, columns, tile }

  // The filters come first: of what a node needs, onnxruntime computes what was added last before the rest. In the
  // other order it would transform the filters of all layers before it did anything else.
  const filterBytes = 4 * places * out * channels
  const pieceBytes = Math.max(fewestPieceBytes, workBytes - 4 * places * batch * rows * columns * channels)
  const inPieces = filterBytes > pieceBytes && batch * rows * columns < out
  const filters = piecesOf(out, inPieces ? pieceBytes / (filterBytes / out) : out).map(([begin, end]) =>
    filterTransform(rowsOf(begin, end), channels, transform),
  )

  // Channels last, so that all that is moved about are whole rows of channels.
  const padding = (node.attributes['pads'] as readonly number[])[0]!
  const [height, width] = [rows * tile + 2, columns * tile + 2]
  const [below, right] = [height - x.shape[2]! - padding, width - x.shape[3]! - padding]
  const padded = pad2d(x, [padding, padding, below, right])
  const pixels = transpose(reshape(padded, [batch, channels, height * width]), [0, 2, 1])
  const flat = reshape(pixels, [batch * height * width, channels])

  /** Pixels at the places of tiles (places * tiles) -> rows of the image (tile rows, tile, tile columns, tile, O). */
  const imageAt = (table: Value): Value => {
    const tiles = table.shape[0]! / places
    const gathered = reshape(gather(flat, table, 0), [places, tiles * channels])
    const transformed = reshape(matmul(squared(x, inputs), gathered), [places, tiles, channels])
    const results = filters.map((piece) => {
      const products = x.builder.emit('FusedMatMul', [transformed, piece], { transB: 1 }) // (places, tiles, O)
      const result = matmul(squared(x, outputs), reshape(products, [places, -1]))
      return transpose(reshape(result, [tile, tile, tiles / columns, columns, -1]), [2, 0, 3, 1, 4])
    })
    return concat(results, 4)
  }
  const atATime = inPieces ? batch * rows : rowsAtATime(batch * rows, 4 * places * columns * Math.max(channels, out))
  const table = tableOf(x, grid, atATime)
  const image = atATime === batch * rows ? imageAt(reshape(table, [-1])) : x.builder.scan([table], 0, imageAt)
  const whole = reshape(image, [batch, rows * tile, columns * tile, out])
  const cropped = crop(crop(whole, 1, outHeight), 2, outWidth)
  const y = reshape(transpose(reshape(cropped, [batch, outHeight * outWidth, out]), [0, 2, 1]), node.outputs[0]!.shape)
  return bias ? add(y, reshape(bias, [out, 1, 1])) : y
}

const crop = (x: Value, axis: number, size: number): Value => (x.shape[axis] === size ? x : slice(x, axis, 0, size))

/** The Kronecker product of a matrix with itself. */
function squared(like: Value, matrix: readonly (readonly number[])[]): Value {
  const [rows, columns] = [matrix.length ** 2, matrix[0]!.length ** 2]
  const product = (): number[] => matrix.flatMap((a) => matrix.flatMap((b) => a.flatMap((x) => b.map((y) => x * y))))
  return like.builder.shared(`squared ${matrix.join()}`, () => float32([rows, columns], product()))
}

/** The most rows of tiles that divide all of them and stay within the bytes. */
function rowsAtATime(rows: number, bytesOfRow: number): number {
  const most = Math.min(rows, Math.max(1, Math.floor(tileBytes / bytesOfRow)))
  return Array.from({ length: most }, (_, i) => i + 1).findLast((count) => rows % count === 0)!
}

type Grid = { readonly batch: number; readonly rows: number; readonly columns: number; readonly tile: number }

/** For each group of rows of tiles, the pixels at each place of its tiles, in images that are padded to whole tiles. */
function tableOf(like: Value, { batch, rows, columns, tile }: Grid, atATime: number): Value {
  const side = tile + 2
  const [height, width] = [rows * tile + 2, columns * tile + 2]
  const groups = (batch * rows) / atATime
  return like.builder.shared(`tiles ${[batch, rows, columns, tile, atATime].join()}`, () => {
    const data = new Int32Array(groups * side * side * atATime * columns)
    let i = 0
    for (let group = 0; group < groups; group++)
      for (let place = 0; place < side * side; place++)
        for (let row = group * atATime; row < (group + 1) * atATime; row++)
          for (let column = 0; column < columns; column++) {
            const y = Math.floor(row / rows) * height + (row % rows) * tile + Math.floor(place / side)
            data[i++] = y * width + column * tile + (place % side)
          }
    return { dtype: 'int32', shape: [groups, data.length / groups], data }
  })
}
