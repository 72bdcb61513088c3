/** One picture as RGB24: `data` holds height rows of width pixels of 3 bytes, without padding. */
export type RgbFrame = { readonly width: number; readonly height: number; readonly data: Uint8Array }

/** Frames of one size, shown `fps` to the second. */
export type Clip = { readonly frames: readonly RgbFrame[]; readonly fps: number }

export const megapixels = (frame: { width: number; height: number }): number => (frame.width * frame.height) / 1e6

/**
 * Larger frames are refused before anything is decoded: engine and ffmpeg together stay below 512 MB
 * (docs/decisions/media.md, "Media have limits in frames, pixels and time"). 4096x2160 has 8.8.
 */
export const maxMegapixels = 12

/** A picture that does not move is held but once. */
export const maxStillMegapixels = 50

/**
 * Colours and their alpha, which are not multiplied, laid on white: as GIF, WebP and PNG have it here, whatever colour
 * lies under what is transparent. `colours` has `step` bytes for each pixel, the first three of them red, green, blue.
 */
export function onWhite(
  { width, height }: { width: number; height: number },
  colours: Uint8Array,
  step: 3 | 4,
  alphaAt: (x: number, y: number) => number,
): RgbFrame {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0, from = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, from += step, to += 3) {
      const alpha = alphaAt(x, y)
      const white = 255 * (255 - alpha)
      for (let c = 0; c < 3; c++) data[to + c] = Math.round((colours[from + c]! * alpha + white) / 255)
    }
  return { width, height, data }
}

/**
 * The frame turned clockwise by `degrees`, a multiple of 90 (negative or above 360 too). Phones store the turn beside
 * the pixels.
 */
export function rotated(frame: RgbFrame, degrees: number): RgbFrame {
  const turns = (((Math.round(degrees / 90) % 4) + 4) % 4) as 0 | 1 | 2 | 3
  if (turns === 0) return frame
  const { width, height, data } = frame
  const [outWidth, outHeight] = turns === 2 ? [width, height] : [height, width]
  const out = new Uint8Array(data.length)
  for (let y = 0, to = 0; y < outHeight; y++)
    for (let x = 0; x < outWidth; x++, to += 3) {
      const [fromX, fromY] =
        turns === 1 ? [y, height - 1 - x] : turns === 2 ? [width - 1 - x, height - 1 - y] : [width - 1 - y, x]
      const from = (fromY * width + fromX) * 3
      out[to] = data[from]!
      out[to + 1] = data[from + 1]!
      out[to + 2] = data[from + 2]!
    }
  return { width: outWidth, height: outHeight, data: out }
}

/** The frame with its last column and row repeated where needed to make both sizes even, as 4:2:0 H.264 requires. */
export function paddedToEven(frame: RgbFrame): RgbFrame {
  const { width, height, data } = frame
  const [outWidth, outHeight] = [width + (width % 2), height + (height % 2)]
  if (outWidth === width && outHeight === height) return frame
  const out = new Uint8Array(outWidth * outHeight * 3)
  for (let y = 0; y < outHeight; y++) {
    const row = Math.min(y, height - 1) * width * 3
    out.set(data.subarray(row, row + width * 3), y * outWidth * 3)
    if (outWidth > width) out.set(data.subarray(row + (width - 1) * 3, row + width * 3), (y * outWidth + width) * 3)
  }
  return { width: outWidth, height: outHeight, data: out }
}
