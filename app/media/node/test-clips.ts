import { findFfmpeg } from './find-ffmpeg.ts'
import { outputOf } from './run-program.ts'

/** Writes a clip by the user's ffmpeg, which says what to install when it is missing. */
export async function makeClip(args: readonly string[], file: string): Promise<void> {
  const { ffmpeg } = await findFfmpeg()
  await outputOf(ffmpeg, ['-v', 'error', '-nostdin', '-y', ...args, file], { idleMs: 120_000 })
}

/** RGB24 of a whole clip as ffmpeg itself makes it, by a chain of filters. */
export async function rgbByFfmpeg(file: string, filters: string): Promise<Buffer> {
  const { ffmpeg } = await findFfmpeg()
  const out = ['-vf', filters, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1']
  return outputOf(ffmpeg, ['-v', 'error', '-nostdin', '-i', file, ...out], { idleMs: 120_000 }, 1 << 28)
}
