import { planarYuv, yuvToRgb } from '../color.ts'
import { rotated, type RgbFrame } from '../frame.ts'
import { badMedia, inputArgs, type VideoInfo } from './ffprobe.ts'
import type { FfmpegPrograms } from './find-ffmpeg.ts'
import { plainReason } from './plain-reason.ts'
import { ProgramFailed, runProgram } from './run-program.ts'

/** Formats that are taken as they are and converted by our own formulas: name -> chroma shifts, bits. */
const planar: Record<string, readonly [across: number, down: number, bits: number]> = {
  yuv420p: [1, 1, 8],
  yuvj420p: [1, 1, 8],
  yuv422p: [1, 0, 8],
  yuvj422p: [1, 0, 8],
  yuv444p: [0, 0, 8],
  yuvj444p: [0, 0, 8],
  yuv420p10le: [1, 1, 10],
  yuv422p10le: [1, 0, 10],
  yuv444p10le: [0, 0, 10],
  yuv420p12le: [1, 1, 12],
}

export type DecodeOptions = {
  /** `upright` turns the frames as the file says (what a player shows); `stored` leaves them (what PyAV gives). */
  readonly orientation: 'upright' | 'stored'
  readonly signal?: AbortSignal | undefined
}

/**
 * The frames at these indices, which must rise and be below info.frameCount, by the user's ffmpeg. It is killed when
 * the loop is left.
 * Throws `bad-media` when it gives up or has fewer frames.
 */
export async function* decodeFrames(
  { ffmpeg }: FfmpegPrograms,
  file: string,
  info: VideoInfo,
  indices: readonly number[],
  { orientation, signal }: DecodeOptions,
): AsyncGenerator<RgbFrame> {
  const { width, height, pixelFormat } = info
  const format = planar[pixelFormat]
  const frameBytes = format ? yuvBytes(width, height, format) : width * height * 3
  const args = [
    ...['-nostdin', '-v', 'error', '-noautorotate', ...inputArgs(file), '-map', '0:V:0', '-an', '-sn', '-dn'],
    // Every selected frame gets the next tick of a constant rate, so none is doubled or dropped on the way out.
    ...['-vf', `select='${selection(indices)}',settb=1/25,setpts=N,scale=${width}:${height}`, '-r', '25'],
    ...['-frames:v', String(indices.length), '-f', 'rawvideo', '-pix_fmt', format ? pixelFormat : 'rgb24', 'pipe:1'],
  ]
  let got = 0
  try {
    for await (const bytes of inPieces(runProgram(ffmpeg, args, { signal, idleMs: 120_000 }), frameBytes)) {
      got++
      yield rotated(toRgb(bytes, info), orientation === 'upright' ? info.rotation : 0)
    }
  } catch (error) {
    if (error instanceof ProgramFailed)
      throw badMedia(file, `after ${got} of ${indices.length} frames, ${plainReason(error.stderr)}`, error)
    throw error
  }
  if (got < indices.length)
    throw badMedia(file, `only ${got} of ${indices.length} frames could be decoded; it may be damaged`)
}

function toRgb(bytes: Uint8Array, { width, height, pixelFormat, matrix, fullRange }: VideoInfo): RgbFrame {
  const format = planar[pixelFormat]
  if (!format) return { width, height, data: bytes }
  const [across, down, bits] = format
  const samples = bits > 8 ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2) : bytes
  return yuvToRgb(planarYuv(width, height, [across, down], bits, samples), { matrix, fullRange })
}

function yuvBytes(width: number, height: number, [across, down, bits]: readonly [number, number, number]): number {
  const chroma = ((width + (1 << across) - 1) >> across) * ((height + (1 << down) - 1) >> down)
  return (width * height + 2 * chroma) * (bits > 8 ? 2 : 1)
}

/** ffmpeg's select expression, with runs of neighbours as ranges. */
function selection(indices: readonly number[]): string {
  const runs: [first: number, last: number][] = []
  for (const index of indices) {
    const run = runs.at(-1)
    if (run && index === run[1] + 1) run[1] = index
    else runs.push([index, index])
  }
  return runs.map(([first, last]) => (first === last ? `eq(n,${first})` : `between(n,${first},${last})`)).join('+')
}

/** The stream cut into pieces of exactly `size` bytes, each in memory of its own; a shorter rest is dropped. */
async function* inPieces(stream: AsyncIterable<Buffer>, size: number): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(size)
  let filled = 0
  for await (const chunk of stream)
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - filled)
      piece.set(part, filled)
      filled += part.length
      at += part.length
      if (filled < size) continue
      yield piece
      piece = new Uint8Array(size)
      filled = 0
    }
}
