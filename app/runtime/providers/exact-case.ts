import { GraphBuilder, matmul, mul, optimize, reshape, sigmoid, softmax, type Graph } from '#app/graph/index.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'

const channels = 4
const side = 8
const tokens = side * side
const columns = 6

/** Values in -1..1 without a pattern that a wrong stride or a swapped axis would survive. */
export const values = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 1.7 + seed))

const image = values(channels * tokens, 1)
const kernel = values(channels * channels * 9, 2)
const projection = values(channels * columns, 3)

export const exactInput: Tensor<'float32'> = float32([1, channels, side, side], image)

/** A convolution, SiLU, a softmax over channels and a matrix product: small enough to be computed by hand as well. */
export function exactGraph(): Graph {
  const builder = new GraphBuilder('provider-check')
  const x = builder.input('x', 'float32', [1, channels, side, side])
  const convolved = builder.emit('Conv', [x, builder.constant(float32([channels, channels, 3, 3], kernel))], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
    strides: [1, 1],
  })
  const rows = builder.emit('Transpose', [reshape(mul(convolved, sigmoid(convolved)), [channels, tokens])], {
    perm: [1, 0],
  })
  builder.output('y', matmul(softmax(rows), builder.constant(float32([channels, columns], projection))))
  return optimize(builder.finish())
}

/** The same in plain JavaScript, in double precision. */
export function exactOutput(): Float64Array {
  const out = new Float64Array(tokens * columns)
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const activated = Array.from({ length: channels }, (_, channel) => {
        const sum = convolvedAt(channel, row, column)
        return sum / (1 + Math.exp(-sum))
      })
      const powers = activated.map((value) => Math.exp(value))
      const total = powers.reduce((sum, power) => sum + power, 0)
      for (let j = 0; j < columns; j++)
        out[(row * side + column) * columns + j] = powers.reduce(
          (sum, power, channel) => sum + (power / total) * projection[channel * columns + j]!,
          0,
        )
    }
  return out
}

function convolvedAt(channel: number, row: number, column: number): number {
  let sum = 0
  for (let from = 0; from < channels; from++)
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) {
        const y = row + dy
        const x = column + dx
        if (y < 0 || x < 0 || y >= side || x >= side) continue
        sum += image[(from * side + y) * side + x]! * kernel[((channel * channels + from) * 3 + dy + 1) * 3 + dx + 1]!
      }
  return sum
}
