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
 * RGB of a decoded picture by its own matrix and range, within 3 of 255 of what ffmpeg makes of it, when the matrix is
 * the right one: also in how chroma is spread over pixels, and what is rounded where. PyAV's frames are the same in 8
 * bits; above, it spreads chroma in another way.
 */
export function yuvToRgb(frame: YuvFrame, colour: YuvColour): RgbFrame {
  const { width, height, data, bitDepth } = frame
  const [planeY, planeU, planeV] = frame.planes
  const way = wayOf(frame)
  const { light, redV, greenU, greenV, blueU, gain, lift } = tablesFor(way, colour)
  const toIndex = steps / (1 << (bitDepth - 8))
  const [rowOfU, rowOfV] = [chromaRows(frame, way, planeU), chromaRows(frame, way, planeV)]
  const out = new Uint8Array(width * height * 3)
  for (let y = 0, to = 0; y < height; y++) {
    const rowY = planeY.offset + y * planeY.stride
    const [us, vs] = [rowOfU(y), rowOfV(y)]
    for (let x = 0; x < width; x++, to += 3) {
      const l = light[data[rowY + x * planeY.step]! * toIndex + margin * steps]! * gain + lift
      const [u, v] = [us[x]!, vs[x]!]
      out[to] = byte(l + redV[v]! * gain)
      out[to + 1] = byte(l + (greenU[u]! + greenV[v]!) * gain)
      out[to + 2] = byte(l + blueU[u]! * gain)
    }
  }
  return { width, height, data: out }
}

const byte = (value: number): number => (value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0)

/** The ways that swscale takes by itself. */
type Way =
  /** 8 bits, and each sample of chroma holds for the pixels that it covers. */
  | 'fast'
  /** Chroma is blended between rows, and holds for two columns. */
  | 'halved'
  /** It is blended between columns too, or has the picture's size. */
  | 'full'

/** Source: libswscale/utils.c, sws_init_context; libswscale/swscale_unscaled.c, ff_get_unscaled_swscale. */
function wayOf({ width, height, bitDepth, chromaShift: [across] }: YuvFrame): Way {
  if (across === 0) return 'full'
  if (bitDepth === 8 && height % 2 === 0) return 'fast'
  return width % 2 === 0 ? 'halved' : 'full'
}

/** Tables have so many places for a step of 8 bits: samples of 12 bits are whole numbers of them. */
const steps = 16
/** Blending goes beyond the range of its samples, by less than this at either end. */
const margin = 64

/**
 * What a sample adds to a colour; `gain` and `lift` make the byte of the sum. The formulas are those of ITU-R BT.601
 * section 2.5. The fast way of swscale rounds each term down; the halved one adds in steps of luma, in a table that
 * begins at its 326th (libswscale/x86/yuv2rgb_template.c; libswscale/yuv2rgb.c, ff_yuv2rgb_c_init_tables).
 */
function tablesFor(way: Way, { matrix, fullRange }: YuvColour) {
  const [kr, kb] = lumaWeights[matrix]
  const kg = 1 - kr - kb
  const [black, lumaScale, chromaScale] = fullRange ? [0, 1, 1] : [16, 255 / 219, 255 / 224]
  const isHalved = way === 'halved'
  const table = (of: (sample: number) => number) =>
    Float64Array.from({ length: (256 + 2 * margin) * steps }, (_, i) => of(i / steps - margin))
  const chroma = (scale: number): Float64Array => {
    const inLuma = scale / lumaScale
    if (isHalved) return table((c) => Math.floor(byte(c) * inLuma) - Math.floor(128 * inLuma))
    return table((c) => (way === 'fast' ? Math.floor((c - 128) * scale) : (c - 128) * scale))
  }
  const light = (y: number): number => (y - black) * lumaScale
  return {
    light: table((y) => (isHalved ? byte(y) : way === 'fast' ? Math.floor(light(y)) : light(y))),
    redV: chroma(2 * (1 - kr) * chromaScale),
    greenU: chroma((-2 * (1 - kb) * kb * chromaScale) / kg),
    greenV: chroma((-2 * (1 - kr) * kr * chromaScale) / kg),
    blueU: chroma(2 * (1 - kb) * chromaScale),
    gain: isHalved ? lumaScale : 1,
    lift: isHalved && !fullRange ? 326 * lumaScale - 400 : 0,
  }
}

/**
 * The rows of a plane of chroma, as wide as the picture, as places in the tables; each takes the memory of the one
 * before.
 */
function chromaRows(frame: YuvFrame, way: Way, plane: Plane): (y: number) => Uint16Array {
  const { width, height, data } = frame
  const [across, down] = frame.chromaShift
  const [columns, rows] = [halved(width, across), halved(height, down)]
  const rowTaps = way !== 'fast' && down > 0 ? blending(height, rows) : undefined
  const columnTaps = way === 'full' && across > 0 ? blending(width, columns) : undefined
  const toIndex = steps / (1 << (frame.bitDepth - 8))
  const zero = margin * steps
  const out = new Uint16Array(width)
  if (!rowTaps && !columnTaps)
    return (y) => {
      const start = plane.offset + (y >> down) * plane.stride
      for (let x = 0; x < width; x++) out[x] = data[start + (x >> across) * plane.step]! * toIndex + zero
      return out
    }
  const small = new Float32Array(columns)
  const addRow = (row: number, weight: number): void => {
    for (let x = 0, at = plane.offset + row * plane.stride; x < columns; x++, at += plane.step)
      small[x] = small[x]! + data[at]! * weight
  }
  return (y) => {
    small.fill(0)
    if (rowTaps) for (const { at, weight } of rowTaps[y]!) addRow(at, weight * toIndex)
    else addRow(y >> down, toIndex)
    for (let x = 0; x < width; x++) {
      let place = columnTaps ? 0 : small[x >> across]!
      if (columnTaps) for (const { at, weight } of columnTaps[x]!) place += small[at]! * weight
      out[x] = Math.round(place) + zero
    }
    return out
  }
}

type Tap = { readonly at: number; readonly weight: number }

/**
 * Of which samples each of `size` places is blended, `from` samples covering the same stretch. As libswscale/utils.c,
 * initFilter: its five places begin at a number that is cut towards zero, so that one is missing before the edge.
 */
function blending(size: number, from: number): readonly (readonly Tap[])[] {
  return Array.from({ length: size }, (_, i) => {
    const centre = ((i + 0.5) * from) / size - 0.5
    const first = Math.trunc(centre - 1.5)
    const weights = [0, 1, 2, 3, 4].map((tap) => bicubic(Math.abs(first + tap - centre)))
    const sum = weights.reduce((a, b) => a + b)
    return weights
      .map((weight, tap) => ({ at: Math.max(0, Math.min(from - 1, first + tap)), weight: weight / sum }))
      .filter(({ weight }) => weight !== 0)
  })
}

/** swscale's own cubic: B = 0, C = 0.6 (libswscale/utils.c, initFilter). */
const bicubic = (d: number): number =>
  d < 1 ? (1.4 * d - 2.4) * d * d + 1 : d < 2 ? ((-0.6 * d + 3) * d - 4.8) * d + 2.4 : 0

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
