import type { InferenceSession } from 'onnxruntime-node'
import type { DoctorReport } from '#app/contract/system.ts'
import { GraphBuilder, matmul, mul, optimize, reshape, sigmoid, softmax, writeOnnx } from '#app/graph/index.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { ort } from '../onnxruntime.ts'

type Check = DoctorReport['checks'][number]

const channels = 4
const side = 8
const tokens = side * side
const columns = 6

/** Values in -1..1 without a pattern that a wrong stride or a swapped axis would survive. */
const values = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 1.7 + seed))

const image = values(channels * tokens, 1)
const kernel = values(channels * channels * 9, 2)
const projection = values(channels * columns, 3)

/** A convolution, SiLU, a softmax over channels and a matrix product: the kinds of arithmetic that the models are made of. */
export function checkModel(): Uint8Array {
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
  return writeOnnx(optimize(builder.finish()), (file) => file)
}

/** The same in plain JavaScript, in double precision. */
export function expected(): Float64Array {
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

/** float32 against double precision; GPUs may multiply in fewer bits. */
const tolerance = (provider: string): number => (provider === 'cpu' ? 1e-5 : 2e-2)

/** Runs the check on one execution provider. A provider that computes wrongly is reported with its figure. */
export async function checkProvider(provider: string): Promise<Check> {
  const name = `Provider ${provider}`
  let session: InferenceSession | undefined
  try {
    session = await ort.InferenceSession.create(checkModel(), { executionProviders: [provider], logSeverityLevel: 4 })
    const outputs = await session.run({ x: new ort.Tensor('float32', image, [1, channels, side, side]) })
    const want = expected()
    const got = Object.values(outputs)[0]!.data as Float32Array
    const error = want.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (got[i] ?? Infinity))), 0)
    const figure = `largest error of the self-check ${error.toExponential(1)}`
    return error <= tolerance(provider) // false for NaN
      ? { name, state: 'ok', detail: figure }
      : { name, state: 'warning', detail: `computes wrongly: ${figure}, allowed ${tolerance(provider)}` }
  } catch (error) {
    // onnxruntime puts its source line, function and condition before the reason.
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n')
    const reason = line?.split(' was false. ').at(-1)
    return { name, state: provider === 'cpu' ? 'missing' : 'warning', detail: `cannot be used here: ${reason}` }
  } finally {
    await session?.release()
  }
}

/** The execution providers that this installation of onnxruntime brings. */
export const providers = (): string[] =>
  ort.listSupportedBackends().flatMap(({ name, bundled }) => (bundled ? [name] : []))

export const onnxruntimeVersion = (): string => ort.env.versions.node ?? 'of an unknown version'
