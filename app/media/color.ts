import type { RgbFrame } from './frame.ts'

/** The luma weights of red and blue that each matrix is made of (ITU-R BT.601, BT.709, BT.2020; SMPTE 240M; FCC). */
const lumaWeights = {
  bt601: [0.299, 0.114],
  bt709: [0.2126, 0.0722],
  bt2020: [0.2627, 0.0593],
  smpte240m: [0.212, 0.087],
  fcc: [0.3, 0.11],
} as const

export type YuvMatrix = keyof typeof lumaWeights
export type YuvColour = { readonly matrix: YuvMatrix; readonly fullRange: boolean }

/** One plane of a picture: the sample at (x, y) is at offset + y * stride + x * step, in units of `data`. */
export type Plane = { readonly offset: number; readonly stride: number; readonly step: number }

export type YuvFrame = {
  readonly width: number
  readonly height: number
  /** Bytes, or 16-bit words where bitDepth is above 8. */
  readonly data: Uint8Array | Uint16Array
  readonly bitDepth: number
  readonly planes: readonly [y: Plane, u: Plane, v: Plane]
  /** How many times chroma is halved across and down: [1, 1] in 4:2:0, [1, 0] in 4:2:2, [0, 0] in 4:4:4. */
  readonly chromaShift: readonly [across: number, down: number]
}

/** The tightly packed planes that ffmpeg writes for yuv420p, yuv422p, yuv444p and their deeper kin. */
export function planarYuv(
  width: number,
  height: number,
  chromaShift: readonly [number, number],
  bitDepth: number,
  data: Uint8Array | Uint16Array,
): YuvFrame {
  const stride = halved(width, chromaShift[0])
  const luma = width * height
  const chroma = stride * halved(height, chromaShift[1])
  if (data.length < luma + 2 * chroma)
    throw new Error(`${data.length} samples do not fill a ${width}x${height} picture`)
  return {
    width,
    height,
    data,
    bitDepth,
    chromaShift,
    planes: [
      { offset: 0, stride: width, step: 1 },
      { offset: luma, stride, step: 1 },
      { offset: luma + chroma, stride, step: 1 },
    ],
  }
}

const halved = (size: number, times: number): number => (size + (1 << times) - 1) >> times

/**
 * RGB of a decoded picture by its own matrix and range, each chroma sample used for the pixels it covers. Deeper
 * samples are cut to 8 bits. At 8 bits within 3 of 255 of swscale, and so of PyAV, when the matrix is the right one;
 * above, swscale blends neighbouring chroma, and so does the host (app/media/node/ffmpeg.ts). Source: the formulas of
 * ITU-R BT.601 section 2.5.
 */
export function yuvToRgb(frame: YuvFrame, colour: YuvColour): RgbFrame {
  const { width, height, data, planes, bitDepth } = frame
  const [planeY, planeU, planeV] = planes
  const [across, down] = frame.chromaShift
  const shift = bitDepth - 8
  const { luma, redV, greenU, greenV, blueU } = tablesFor(colour)
  const out = new Uint8Array(width * height * 3)
  for (let y = 0, to = 0; y < height; y++) {
    const rowY = planeY.offset + y * planeY.stride
    const rowU = planeU.offset + (y >> down) * planeU.stride
    const rowV = planeV.offset + (y >> down) * planeV.stride
    for (let x = 0; x < width; x++, to += 3) {
      const light = luma[data[rowY + x * planeY.step]! >> shift]!
      const u = data[rowU + (x >> across) * planeU.step]! >> shift
      const v = data[rowV + (x >> across) * planeV.step]! >> shift
      out[to] = byte(light + redV[v]!)
      out[to + 1] = byte(light + greenU[u]! + greenV[v]!)
      out[to + 2] = byte(light + blueU[u]!)
    }
  }
  return { width, height, data: out }
}

const byte = (value: number): number => (value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0)

function tablesFor({ matrix, fullRange }: YuvColour) {
  const [kr, kb] = lumaWeights[matrix]
  const kg = 1 - kr - kb
  const lumaScale = fullRange ? 1 : 255 / 219
  const chromaScale = fullRange ? 1 : 255 / 224
  const table = (scale: number, zero: number) => Float64Array.from({ length: 256 }, (_, code) => (code - zero) * scale)
  return {
    luma: table(lumaScale, fullRange ? 0 : 16),
    redV: table(2 * (1 - kr) * chromaScale, 128),
    greenU: table((-2 * (1 - kb) * kb * chromaScale) / kg, 128),
    greenV: table((-2 * (1 - kr) * kr * chromaScale) / kg, 128),
    blueU: table(2 * (1 - kb) * chromaScale, 128),
  }
}

/**
 * What encoders are given: I420 in BT.709, limited range; chroma is the mean of the pixels it covers. The planes are
 * packed.
 */
export function rgbToI420(frame: RgbFrame): Uint8Array {
  const { width, height, data } = frame
  const [chromaWidth, chromaHeight] = [halved(width, 1), halved(height, 1)]
  const luma = width * height
  const out = new Uint8Array(luma + 2 * chromaWidth * chromaHeight)
  const [kr, kb] = lumaWeights.bt709
  const kg = 1 - kr - kb
  for (let i = 0; i < luma; i++)
    out[i] = byte(16 + ((kr * data[i * 3]! + kg * data[i * 3 + 1]! + kb * data[i * 3 + 2]!) * 219) / 255)
  for (let cy = 0, to = luma; cy < chromaHeight; cy++)
    for (let cx = 0; cx < chromaWidth; cx++, to++) {
      let [red, green, blue, count] = [0, 0, 0, 0]
      for (let y = cy * 2; y < Math.min(cy * 2 + 2, height); y++)
        for (let x = cx * 2; x < Math.min(cx * 2 + 2, width); x++, count++) {
          const from = (y * width + x) * 3
          red += data[from]!
          green += data[from + 1]!
          blue += data[from + 2]!
        }
      const light = kr * red + kg * green + kb * blue
      const scale = 224 / 255 / count / 2
      out[to] = byte(128 + ((blue - light) / (1 - kb)) * scale)
      out[to + chromaWidth * chromaHeight] = byte(128 + ((red - light) / (1 - kr)) * scale)
    }
  return out
}
