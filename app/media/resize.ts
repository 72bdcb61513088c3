import type { RgbFrame } from './frame.ts'

type Kernel = { readonly support: number; readonly at: (x: number) => number }

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI))

export const kernels = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, at: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI))) },
  bicubic: { support: 2, at: bicubic },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} satisfies Record<string, Kernel>

export type Resampling = 'nearest' | keyof typeof kernels

/** The filters by the numbers that PIL, and so preprocessor_config.json, gives them. */
export const resamplingByNumber: readonly Resampling[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming']

/**
 * The frame at another size, byte for byte as PIL's Image.resize: the filter widens with the reduction, and each of the
 * two passes sums in 22-bit fixed point and rounds to 8 bits.
 * Source: the algorithm of Pillow 13's src/libImaging/Resample.c and Geometry.c.
 */
export function resize(frame: RgbFrame, width: number, height: number, resampling: Resampling): RgbFrame {
  if (width === frame.width && height === frame.height) return frame
  if (resampling === 'nearest') return nearest(frame, width, height)
  const kernel = kernels[resampling]
  const rows = (picture: RgbFrame) => (width === frame.width ? picture : resizeRows(picture, width, kernel))
  const columns = (picture: RgbFrame) => (height === frame.height ? picture : resizeColumns(picture, height, kernel))
  // Pillow 13 goes down the columns first when the height shrinks much more; before it, rows always came first.
  const lostRows = frame.height - height
  return lostRows > 0 && lostRows > 2 * (frame.width - width) ? rows(columns(frame)) : columns(rows(frame))
}

/** What each output position sums: `count` inputs from `first` on, with fixed-point weights from `at` on. */
type Taps = {
  readonly first: Int32Array
  readonly count: Int32Array
  readonly at: Int32Array
  readonly weights: Int32Array
}

const precision = 22
const half = 1 << (precision - 1)

/** The inputs that output `out` sums, from `first` on, with weights that sum to 1. */
export function tapWeights(
  inSize: number,
  outSize: number,
  kernel: Kernel,
  out: number,
): { first: number; weights: number[] } {
  const scale = inSize / outSize
  const stretch = Math.max(scale, 1)
  const support = kernel.support * stretch
  const center = (out + 0.5) * scale
  const first = Math.max(0, Math.trunc(center - support + 0.5))
  const end = Math.min(inSize, Math.trunc(center + support + 0.5))
  const raw = Array.from({ length: end - first }, (_, i) => kernel.at((i + first - center + 0.5) * (1 / stretch)))
  const sum = raw.reduce((total, weight) => total + weight, 0)
  return { first, weights: sum === 0 ? raw : raw.map((weight) => weight / sum) }
}

function tapsFor(inSize: number, outSize: number, kernel: Kernel): Taps {
  const most = Math.ceil(kernel.support * Math.max(inSize / outSize, 1)) * 2 + 1
  const first = new Int32Array(outSize)
  const count = new Int32Array(outSize)
  const at = new Int32Array(outSize)
  const weights = new Int32Array(outSize * most)
  for (let out = 0; out < outSize; out++) {
    const taps = tapWeights(inSize, outSize, kernel, out)
    first[out] = taps.first
    count[out] = taps.weights.length
    at[out] = out * most
    taps.weights.forEach((weight, i) => {
      const fixed = weight * (1 << precision)
      weights[out * most + i] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5)
    })
  }
  return { first, count, at, weights }
}

const clip8 = (sum: number): number => Math.min(255, Math.max(0, sum >> precision))

function resizeRows(frame: RgbFrame, width: number, kernel: Kernel): RgbFrame {
  const { first, count, at, weights } = tapsFor(frame.width, width, kernel)
  const { height, data } = frame
  const out = new Uint8Array(width * height * 3)
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += 3) {
      let [red, green, blue] = [half, half, half]
      let from = (y * frame.width + first[x]!) * 3
      for (let i = at[x]!, end = i + count[x]!; i < end; i++, from += 3) {
        const weight = weights[i]!
        red += data[from]! * weight
        green += data[from + 1]! * weight
        blue += data[from + 2]! * weight
      }
      out[to] = clip8(red)
      out[to + 1] = clip8(green)
      out[to + 2] = clip8(blue)
    }
  return { width, height, data: out }
}

function resizeColumns(frame: RgbFrame, height: number, kernel: Kernel): RgbFrame {
  const { first, count, at, weights } = tapsFor(frame.height, height, kernel)
  const { width, data } = frame
  const stride = width * 3
  const out = new Uint8Array(stride * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < stride; x++) {
      let sum = half
      let from = first[y]! * stride + x
      for (let i = at[y]!, end = i + count[y]!; i < end; i++, from += stride) sum += data[from]! * weights[i]!
      out[y * stride + x] = clip8(sum)
    }
  return { width, height, data: out }
}

function nearest(frame: RgbFrame, width: number, height: number): RgbFrame {
  const columns = nearestPositions(frame.width, width)
  const lines = nearestPositions(frame.height, height)
  const out = new Uint8Array(width * height * 3)
  let to = 0
  for (const line of lines)
    for (const column of columns) {
      const from = (line * frame.width + column) * 3
      out[to++] = frame.data[from]!
      out[to++] = frame.data[from + 1]!
      out[to++] = frame.data[from + 2]!
    }
  return { width, height, data: out }
}

// PIL steps by repeated addition, and the sum's rounding decides ties.
function nearestPositions(inSize: number, outSize: number): number[] {
  const step = inSize / outSize
  const positions: number[] = []
  for (let out = 0, at = step * 0.5; out < outSize; out++, at += step)
    positions.push(Math.min(inSize - 1, Math.trunc(at)))
  return positions
}

function bicubic(x: number): number {
  const a = -0.5
  const d = Math.abs(x)
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0
}
