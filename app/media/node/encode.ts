import { extname, resolve } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import { makeDurably } from '#app/files/durable.ts'
import type { Clip } from '../frame.ts'
import type { Quality } from '../quality.ts'
import { checkRecipe } from '../recipe-text.ts'
import { writeGif, writePng, writePngs, writeWebp } from './encode-pictures.ts'
import { writeVideo } from './encode-video.ts'

export type ClipFormat = 'gif' | 'webp' | 'png' | 'mp4' | 'webm'

export type EncodeOptions = {
  readonly clip: Clip
  readonly format: ClipFormat
  /**
   * The file; for png a file of that ending for a clip of one frame, else the folder, new or empty, of frame-0001.png
   * and so on. What was there is replaced once the new one is whole.
   */
  readonly out: string
  /** The recipe, a JSON object as text, that goes into the file (into each file, for png). */
  readonly recipe: string
  /** By default `best` for WebP and `high` for video. */
  readonly quality?: Quality | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes the clip with its recipe as one durable step: the file is there whole, or not at all.
 * MP4 of odd size repeats the last column or row, since H.264 in 4:2:0 has even sizes only.
 * Throws `bad-input`, `disk`, `cancelled`, and `unsupported` where ffmpeg or its encoder is missing.
 */
export async function encodeClip({ clip, format, out, recipe, quality, signal }: EncodeOptions): Promise<void> {
  checkRecipe(recipe)
  checkClip(clip, format)
  if (signal?.aborted) throw new ProblemError('cancelled', 'cancelled')
  const file = resolve(out)
  const isPngFile = extname(file).toLowerCase() === '.png'
  if (format === 'png' && isPngFile && clip.frames.length > 1)
    throw new ProblemError(
      'bad-input',
      `${out} holds one picture, and there are ${clip.frames.length} frames: name a folder`,
      {
        field: 'out',
      },
    )
  if (format === 'png' && !isPngFile) return writePngs(clip, file, recipe, signal)
  await makeDurably(file, async (part) => {
    if (format === 'png') await writePng(clip.frames[0]!, part, recipe)
    else if (format === 'gif') await writeGif(clip, part, recipe)
    else if (format === 'webp') await writeWebp(clip, part, recipe, quality ?? 'best')
    else await writeVideo(clip, format, part, recipe, quality ?? 'high', signal)
  })
}

const largestSide: Record<ClipFormat, number> = { gif: 65535, webp: 16383, png: 65535, mp4: 16384, webm: 16384 }

function checkClip({ frames, fps }: Clip, format: ClipFormat): void {
  const first = frames[0]
  if (!first) throw new ProblemError('bad-input', 'the clip has no frames')
  if (!(fps > 0 && fps <= 240)) throw new ProblemError('bad-input', `${fps} frames a second: 240 at most, and above 0`)
  if (Math.max(first.width, first.height) > largestSide[format])
    throw new ProblemError('bad-input', `${format} holds at most ${largestSide[format]} pixels a side`)
  for (const { width, height, data } of frames)
    if (width !== first.width || height !== first.height || data.length !== width * height * 3)
      throw new ProblemError('bad-input', `the frames are not all ${first.width}x${first.height} RGB`)
}
