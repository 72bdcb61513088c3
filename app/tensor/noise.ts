import { philox } from './philox.ts'
import type { Shape, Tensor } from './tensor.ts'
import { float32, sizeOf } from './tensor.ts'

/** Natural logarithm of word + 1/2, by exactly rounded operations only: Math.log may differ between engines. */
function logOfWord(word: number): number {
  let mantissa = word + 0.5
  let exponent = 0
  while (mantissa >= 65536) {
    mantissa /= 65536
    exponent += 16
  }
  while (mantissa > Math.SQRT2) {
    mantissa /= 2
    exponent++
  }
  if (mantissa < Math.SQRT1_2) {
    mantissa *= 2
    exponent--
  }
  const s = (mantissa - 1) / (mantissa + 1) // ln m = 2 atanh s, |s| < 0.172
  const square = s * s
  let series = 0
  for (let k = 25; k >= 1; k -= 2) series = series * square + 1 / k
  return exponent * Math.LN2 + 2 * s * series
}

const SIN = [-1 / 1307674368000, 1 / 6227020800, -1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1]
const COS = [1 / 20922789888000, -1 / 87178291200, 1 / 479001600, -1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -1 / 2, 1]

/** Taylor coefficients from the highest, in the square of an angle within an eighth of a turn. */
function polynomial(coefficients: readonly number[], square: number): number {
  let value = 0
  for (const coefficient of coefficients) value = value * square + coefficient
  return value
}

/** Box and Muller (1958): two uniform words become two independent standard normals, at `out[at]` and `out[at + 1]`. */
function normalPair(out: Float32Array, at: number, radiusWord: number, angleWord: number): void {
  const radius = Math.sqrt(-2 * (logOfWord(radiusWord) - 32 * Math.LN2))
  const quadrant = (angleWord + 0x20000000) >>> 30
  const angle = ((angleWord - ((angleWord + 0x20000000) & 0xc0000000)) | 0) * (Math.PI / 2 / 0x40000000)
  const square = angle * angle
  const sin = angle * polynomial(SIN, square)
  const cos = polynomial(COS, square)
  const [x, y] =
    quadrant === 0 ? [cos, sin] : quadrant === 1 ? [-sin, cos] : quadrant === 2 ? [-cos, -sin] : [sin, -cos]
  out[at] = radius * x
  out[at + 1] = radius * y
}

/** The two key words of a seed; throws RangeError unless it is an integer from 0 to 2^53 - 1. */
function keyOf(seed: number | bigint): [number, number] {
  const value = Number(seed)
  if (!Number.isSafeInteger(value) || value < 0 || (typeof seed === 'bigint' && BigInt(value) !== seed))
    throw new RangeError(`a seed is an integer from 0 to ${Number.MAX_SAFE_INTEGER}, not ${seed}`)
  return [value >>> 0, Math.floor(value / 0x100000000)]
}

function requireWord(name: string, value: number, limit: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= limit)
    throw new RangeError(`${name} is an integer from 0 to ${limit - 1}, not ${value}`)
}

/** Fills one block of four normals for a counter and key. */
function normalBlock(
  block: Float32Array,
  words: Uint32Array,
  counter: readonly number[],
  key: readonly number[],
): void {
  const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter
  const [key0 = 0, key1 = 0] = key
  philox(words, c0, c1, c2, c3, key0, key1)
  normalPair(block, 0, words[0] ?? 0, words[1] ?? 0)
  normalPair(block, 2, words[2] ?? 0, words[3] ?? 0)
}

/**
 * Standard normal float32 numbers, the same on every machine. Element i depends only on (seed, stream, i), so a larger
 * shape begins with the smaller one's numbers. Seeds are integers from 0 to 2^53 - 1, streams below 2^32.
 */
export function normalNoise(seed: number | bigint, stream: number, shape: Shape): Tensor<'float32'> {
  const key = keyOf(seed)
  requireWord('a stream', stream, 0x100000000)
  const values = new Float32Array(sizeOf(shape))
  const words = new Uint32Array(4)
  const block = new Float32Array(4)
  for (let i = 0; i < values.length; i += 4) {
    const index = i / 4
    normalBlock(block, words, [index >>> 0, Math.floor(index / 0x100000000), stream, 0], key)
    values.set(i + 4 <= values.length ? block : block.subarray(0, values.length - i), i)
  }
  return float32(shape, values)
}

/**
 * Standard normal noise for latents (batch, channel, frame, height, width). Each number depends only on the seed, the
 * draw and its own position: more frames, more pixels or more videos keep those that were there before. `draw` 0 is the
 * start; a stochastic sampler takes 1, 2, ... for its steps.
 */
export function latentNoise(seed: number | bigint, shape: Shape, draw = 0): Tensor<'float32'> {
  const key = keyOf(seed)
  const [batch, channels, frames, height, width] = shape
  if (shape.length !== 5 || !batch || !channels || !frames || !height || !width)
    throw new RangeError(`latents are (batch, channel, frame, height, width), not (${shape.join(', ')})`)
  requireWord('a draw', draw, 0x10000)
  requireWord('a latent height', height, 0x10000)
  requireWord('a latent width', width, 0x10000)
  const values = new Float32Array(sizeOf(shape))
  const words = new Uint32Array(4)
  const block = new Float32Array(4)
  const plane = height * width
  for (let b = 0; b < batch; b++)
    for (let group = 0; group * 4 < channels; group++)
      for (let f = 0; f < frames; f++)
        for (let pixel = 0; pixel < plane; pixel++) {
          const position = (Math.floor(pixel / width) << 16) | (pixel % width)
          // The last word is never 0 here and always 0 in normalNoise: the two never share a counter.
          normalBlock(block, words, [position, (draw << 16) | group, f, b + 1], key)
          const lanes = Math.min(4, channels - group * 4)
          for (let lane = 0; lane < lanes; lane++)
            values[((b * channels + group * 4 + lane) * frames + f) * plane + pixel] = block[lane] ?? 0
        }
  return float32(shape, values)
}
