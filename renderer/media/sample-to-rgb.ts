import type { VideoSample } from 'mediabunny'
import { yuvToRgb, type YuvColour, type YuvMatrix } from '#app/media/color.ts'
import { onWhite, rotated, type RgbFrame } from '#app/media/frame.ts'

const chromaShifts: Record<string, readonly [across: number, down: number]> = {
  I420: [1, 1],
  I422: [1, 0],
  I444: [0, 0],
  NV12: [1, 1],
}

const matrices: Record<string, YuvMatrix> = { bt709: 'bt709', 'bt2020-ncl': 'bt2020' }

/**
 * The upright RGB of a decoded picture, converted by our own formulas: the browser's RGBA ignores or misreads the
 * matrix tag. `colour` is what the file says; where it says nothing the matrix is BT.601, as swscale takes it, whatever
 * the browser guesses.
 */
export async function sampleToRgb(sample: VideoSample, colour: VideoColorSpaceInit): Promise<RgbFrame> {
  const { width, height } = sample.visibleRect
  const format = /^(I420|I422|I444|NV12)(A?)(?:P(10|12))?$/.exec(sample.format ?? '')
  const frame = format
    ? await planesToRgb(sample, format[1]!, Number(format[3] ?? 8), format[2] === 'A', {
        matrix: matrices[colour.matrix ?? ''] ?? 'bt601',
        fullRange: colour.fullRange ?? false,
      })
    : await packedToRgb(sample, width, height)
  return rotated(frame, sample.rotation)
}

async function planesToRgb(
  sample: VideoSample,
  format: string,
  bitDepth: number,
  hasAlpha: boolean,
  colour: YuvColour,
): Promise<RgbFrame> {
  const bytes = new Uint8Array(sample.allocationSize())
  const layout = await sample.copyTo(bytes)
  const width = bitDepth > 8 ? 2 : 1
  const plane = (i: number, skip: number, step: number) => ({
    offset: layout[i]!.offset / width + skip,
    stride: layout[i]!.stride / width,
    step,
  })
  const { width: across, height: down } = sample.visibleRect
  const data = bitDepth > 8 ? new Uint16Array(bytes.buffer) : bytes
  const frame = yuvToRgb(
    {
      width: across,
      height: down,
      data,
      bitDepth,
      chromaShift: chromaShifts[format]!,
      planes:
        format === 'NV12'
          ? [plane(0, 0, 1), plane(1, 0, 2), plane(1, 1, 2)]
          : [plane(0, 0, 1), plane(1, 0, 1), plane(2, 0, 1)],
    },
    colour,
  )
  if (!hasAlpha) return frame
  const { offset, stride } = plane(layout.length - 1, 0, 1)
  return onWhite(frame, frame.data, 3, (x, y) => data[offset + y * stride + x]! >> (bitDepth - 8))
}

// Pictures that are RGB already, and those that the browser keeps to itself and only gives out as RGB: rows are packed.
async function packedToRgb(sample: VideoSample, width: number, height: number): Promise<RgbFrame> {
  const rgba = new Uint8Array(sample.allocationSize({ format: 'RGBA' }))
  const [plane] = await sample.copyTo(rgba, { format: 'RGBA' })
  const { offset, stride } = plane!
  return onWhite({ width, height }, rgba.subarray(offset), 4, (x, y) => rgba[offset + y * stride + x * 4 + 3]!)
}
