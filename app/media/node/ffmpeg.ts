import { planarYuv, yuvToRgb } from '../color.ts'
import { onWhite, rotated, type RgbFrame } from '../frame.ts'
import { badMedia, idleMs, inputArgs, type VideoFile, type VideoInfo } from './ffprobe.ts'
import type { FfmpegPrograms } from './find-ffmpeg.ts'
import { plainReason } from './plain-reason.ts'
import { ProgramFailed, runProgram } from './run-program.ts'

/** Formats that are taken as they are and converted by our own formulas: name -> chroma shifts. */
const planar: Record<string, readonly [across: number, down: number]> = {
  yuv420p: [1, 1],
  yuvj420p: [1, 1],
  yuv422p: [1, 0],
  yuvj422p: [1, 0],
  yuv444p: [0, 0],
  yuvj444p: [0, 0],
}

/** Formats with transparency, by how ffmpeg's names for them begin. */
const transparent = /^(yuva|ayuv|vuya|rgba|bgra|argb|abgr|gbrap|ya\d|pal8)/

export type DecodeOptions = {
  /** `upright` turns the frames as the file says (what a player shows); `stored` leaves them (what PyAV gives). */
  readonly orientation: 'upright' | 'stored'
  readonly signal?: AbortSignal | undefined
}

/** All of a clip's frames take no longer than this to come: other jobs wait meanwhile. */
const limitMs = 300_000

/**
 * The frames at these indices, which must rise and be below info.frameCount, by the user's ffmpeg. It is killed when
 * the loop is left.
 * Throws `bad-media` when it gives up or has fewer frames.
 */
export async function* decodeFrames(
  { ffmpeg }: FfmpegPrograms,
  file: VideoFile,
  info: VideoInfo,
  indices: readonly number[],
  { orientation, signal }: DecodeOptions,
): AsyncGenerator<RgbFrame> {
  const { width, height } = info
  const { format, bytes, toRgb } = wayOut(info)
  // As ffmpeg by itself gives chroma its full size.
  const scale = `scale=${width}:${height}:flags=bicubic`
  const args = [
    ...['-nostdin', '-v', 'error', '-noautorotate', ...inputArgs(file, info.inputOptions)],
    ...['-map', '0:V:0', '-an', '-sn', '-dn'],
    // Every selected frame gets the next tick of a constant rate, which is then said to be the rate: ffmpeg doubles the
    // frames of a slower one on the way out, and drops those of a faster one.
    ...['-vf', `select='${selection(indices)}',settb=1/25,setpts=N,fps=25,${scale}`],
    ...['-frames:v', String(indices.length), '-f', 'rawvideo', '-pix_fmt', format, 'pipe:1'],
  ]
  let got = 0
  try {
    for await (const piece of inPieces(runProgram(ffmpeg, args, { signal, idleMs, limitMs }), bytes)) {
      got++
      yield rotated(toRgb(piece), orientation === 'upright' ? info.rotation : 0)
    }
  } catch (error) {
    if (error instanceof ProgramFailed)
      throw badMedia(file.path, `after ${got} of ${indices.length} frames, ${plainReason(error.stderr)}`, error)
    throw error
  }
  if (got < indices.length)
    throw badMedia(file.path, `only ${got} of ${indices.length} frames could be decoded; it may be damaged`)
}

type WayOut = { format: string; bytes: number; toRgb: (bytes: Uint8Array) => RgbFrame }

/**
 * The format in which ffmpeg hands the frames over, and what makes RGB of it, in memory of its own. Above 8 bits
 * swscale does.
 */
function wayOut({ width, height, pixelFormat, matrix, fullRange }: VideoInfo): WayOut {
  const shifts = planar[pixelFormat]
  if (shifts)
    return {
      format: pixelFormat,
      bytes: yuvBytes(width, height, shifts),
      toRgb: (data) => yuvToRgb(planarYuv(width, height, shifts, 8, data), { matrix, fullRange }),
    }
  if (transparent.test(pixelFormat))
    return {
      format: 'rgba',
      bytes: width * height * 4,
      toRgb: (data) => onWhite({ width, height }, data, 4, (x, y) => data[(y * width + x) * 4 + 3]!),
    }
  return { format: 'rgb24', bytes: width * height * 3, toRgb: (data) => ({ width, height, data: data.slice() }) }
}

function yuvBytes(width: number, height: number, [across, down]: readonly [number, number]): number {
  return width * height + 2 * ((width + (1 << across) - 1) >> across) * ((height + (1 << down) - 1) >> down)
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

/** The stream cut into pieces of exactly `size` bytes, all in one memory; a shorter rest is dropped. */
async function* inPieces(stream: AsyncIterable<Buffer>, size: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(size)
  let filled = 0
  for await (const chunk of stream)
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - filled)
      piece.set(part, filled)
      filled += part.length
      at += part.length
      if (filled < size) continue
      yield piece
      filled = 0
    }
}
