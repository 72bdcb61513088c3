import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import type { RgbFrame } from '../frame.ts'
import { mediaKind, type MediaKind } from '../media-kind.ts'
import { decodeFrames, type DecodeOptions } from './ffmpeg.ts'
import { badMedia, probeVideo, type VideoFile } from './ffprobe.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { pictureStructure, type PictureKind, type PictureStructure } from './picture-structure.ts'
import { decodePictures, maxPictureFrames, probePicture } from './stills.ts'

/** A clip or picture whose frames can be asked for. */
export type OpenClip = {
  /** Exact: frames that are there, not what the file claims. */
  readonly frameCount: number
  readonly width: number
  readonly height: number
  readonly fps: number
  /** What is wrong with the file though it can be read, in words: cut short, damaged. */
  readonly notes: readonly string[]
  /**
   * One frame for each index, in the order asked and repeated where asked. Throws `bad-input` for an index the clip
   * does not have.
   */
  readonly readFrames: (indices: readonly number[], signal?: AbortSignal) => Promise<RgbFrame[]>
  /** The same one at a time, for rising indices without repetition: one frame in memory. */
  readonly frames: (indices: readonly number[], signal?: AbortSignal) => AsyncGenerator<RgbFrame>
}

/** So much RGB at once: 170 frames of 1080p. More is read with `frames`. */
const maxBytesAtOnce = 1 << 30

/**
 * Opens a clip by its content: GIF, WebP, PNG and JPEG by sharp, all else by the user's ffmpeg. By default frames stand
 * upright.
 * Throws problems that name the file: `not-found`, `bad-media`, and `unsupported` where ffmpeg is missing.
 */
export async function openClip(file: string, options: Partial<DecodeOptions> = {}): Promise<OpenClip> {
  const orientation = options.orientation ?? 'upright'
  const { signal } = options
  const kind = await kindOf(file)
  if (!isPicture(kind)) return openVideo({ path: resolve(file), ...(kind === 'isobmff' && { demuxer: 'mov' }) })
  const structure = await pictureStructure(file, kind, maxPictureFrames)
  if (structure.frames > maxPictureFrames)
    throw badMedia(file, `it has more than ${maxPictureFrames} frames, the most that is opened of a ${kind} file`)
  const { promised } = structure
  if (promised !== undefined) return openVideo({ path: resolve(file), demuxer: 'apng', promised })
  return openPicture(file, structure, orientation === 'upright')

  async function openVideo(video: VideoFile): Promise<OpenClip> {
    const programs = await findFfmpeg()
    const info = await probeVideo(programs, video, signal)
    const turned = orientation === 'upright' && Math.abs(info.rotation % 180) === 90
    const size = turned ? { width: info.height, height: info.width } : { width: info.width, height: info.height }
    return clipOf({ ...info, ...size }, (indices, signal) =>
      decodeFrames(programs, video, info, indices, { orientation, signal }),
    )
  }
}

const isPicture = (kind: MediaKind): kind is PictureKind => ['gif', 'webp', 'png', 'jpeg'].includes(kind)

async function openPicture(file: string, structure: PictureStructure, upright: boolean): Promise<OpenClip> {
  const info = await probePicture(file, structure, upright)
  return clipOf(info, (indices, signal) => decodePictures(file, info, indices, upright, signal))
}

function clipOf(
  { frameCount, width, height, fps, notes }: Pick<OpenClip, 'frameCount' | 'width' | 'height' | 'fps' | 'notes'>,
  decode: OpenClip['frames'],
): OpenClip {
  const check = (indices: readonly number[]) => {
    const outside = indices.find((index) => !Number.isInteger(index) || index < 0 || index >= frameCount)
    if (outside !== undefined)
      throw new ProblemError('bad-input', `frame ${outside} was asked for; the clip has frames 0 to ${frameCount - 1}`)
  }
  const readFrames: OpenClip['readFrames'] = async (indices, signal) => {
    check(indices)
    const rising = [...new Set(indices)].sort((a, b) => a - b)
    if (rising.length * width * height * 3 > maxBytesAtOnce)
      throw new ProblemError('bad-input', `${rising.length} frames of ${width}x${height} are too many to hold at once`)
    if (rising.length === 0) return []
    const found = new Map<number, RgbFrame>()
    for await (const frame of decode(rising, signal)) found.set(rising[found.size]!, frame)
    return indices.map((index) => found.get(index)!)
  }
  const frames: OpenClip['frames'] = async function* (indices, signal) {
    check(indices)
    if (indices.some((index, i) => i > 0 && index <= indices[i - 1]!)) throw new Error('the indices do not rise')
    if (indices.length > 0) yield* decode(indices, signal)
  }
  return { frameCount, width, height, fps, notes, readFrames, frames }
}

async function kindOf(file: string): Promise<MediaKind> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new ProblemError('not-found', `${file}: there is no such file`, { file })
    throw new ProblemError('disk', `${file} cannot be opened: ${message}`, { file, cause: error })
  })
  try {
    if (!(await handle.stat()).isFile()) throw badMedia(file, 'it is not a file')
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4096), 0, 4096, 0)
    if (bytesRead === 0) throw badMedia(file, 'it is empty')
    return mediaKind(buffer.subarray(0, bytesRead))
  } finally {
    await handle.close()
  }
}
