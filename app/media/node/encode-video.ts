import { rm, writeFile } from 'node:fs/promises'
import { ProblemError } from '#app/contract/errors.ts'
import { syncFile } from '#app/files/durable.ts'
import { rgbToI420 } from '../color.ts'
import { paddedToEven, type Clip } from '../frame.ts'
import type { Quality } from '../quality.ts'
import { toComment } from '../recipe-text.ts'
import { lastWords } from './plain-reason.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { outputOf, ProgramFailed } from './run-program.ts'

const crf = { mp4: { best: 8, high: 16, small: 24 }, webm: { best: 8, high: 20, small: 34 } }
const bt709 = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv']

/**
 * H.264 in MP4 or VP9 in WebM by the user's ffmpeg: 4:2:0, converted by us and tagged BT.709, the recipe as the comment
 * tag.
 */
export async function writeVideo(
  { frames, fps }: Clip,
  format: 'mp4' | 'webm',
  file: string,
  recipe: string,
  quality: Quality,
  signal?: AbortSignal,
): Promise<void> {
  const { ffmpeg } = await findFfmpeg()
  const shown = format === 'mp4' ? frames.map(paddedToEven) : frames
  const { width, height } = shown[0]!
  const rate = String(crf[format][quality])
  const codec =
    format === 'mp4'
      ? ['-c:v', 'libx264', '-preset', 'medium', '-crf', rate, '-movflags', '+faststart']
      : ['-c:v', 'libvpx-vp9', '-b:v', '0', '-crf', rate, '-deadline', 'good', '-cpu-used', '2', '-row-mt', '1']
  // Not as an argument: command lines are short on Windows, and other users can see them.
  const tags = `${file}.tags`
  const args = [
    ...['-nostdin', '-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-video_size', `${width}x${height}`],
    ...['-framerate', String(fps), ...bt709, '-i', 'pipe:0', '-f', 'ffmetadata', '-i', `file:${tags}`],
    ...['-map', '0:v', '-map_metadata', '1', ...codec, '-pix_fmt', 'yuv420p', ...bt709, '-f', format, `file:${file}`],
  ]
  try {
    await writeFile(tags, `;FFMETADATA1\ncomment=${toComment(recipe).replace(/[=;#\\\n]/g, '\\$&')}\n`)
    const input = (function* () {
      for (const frame of shown) yield rgbToI420(frame)
    })()
    await outputOf(ffmpeg, args, { signal, idleMs: 300_000, input })
    await syncFile(file)
  } catch (error) {
    throw error instanceof ProgramFailed ? encodingProblem(error, format) : error
  } finally {
    await rm(tags, { force: true })
  }
}

function encodingProblem(error: ProgramFailed, format: 'mp4' | 'webm'): ProblemError {
  const [wanted, other] = format === 'mp4' ? ['H.264 (libx264)', 'webm'] : ['VP9 (libvpx-vp9)', 'mp4']
  if (/unknown encoder/i.test(error.stderr))
    return new ProblemError(
      'unsupported',
      `this ffmpeg cannot write ${wanted}: install one that can, or choose ${other}, gif or webp`,
      { cause: error },
    )
  if (/no space left/i.test(error.stderr))
    return new ProblemError('disk', 'the clip could not be written: the disk is full', { cause: error })
  return new ProblemError('internal', `ffmpeg could not write the clip: ${lastWords(error.stderr)}`, { cause: error })
}
