import { mkdir, readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { ProblemError } from '#app/contract/errors.ts'
import { makeDurably, syncFolder, writeSynced } from '#app/files/durable.ts'
import { joined } from '../bytes.ts'
import type { Clip, RgbFrame } from '../frame.ts'
import type { Quality } from '../quality.ts'
import { writeRecipe } from '../recipe-metadata.ts'
import { frameDurations } from '../timing.ts'
import { webpAnimation } from '../webp-animation.ts'

/**
 * libimagequant's palettes with error diffusion: 5 to 15 dB better than a fixed dither pattern. Effort above 5 costs
 * time only.
 */
export async function writeGif({ frames, fps }: Clip, file: string, recipe: string): Promise<void> {
  const { width, height } = frames[0]!
  const strip = joined(frames.map(({ data }) => data))
  const raw = { width, height: height * frames.length, channels: 3 as const, pageHeight: height }
  const delay = frameDurations(frames.length, fps, 100).map((hundredths) => hundredths * 10)
  const gif = await sharp(strip, { raw, limitInputPixels: false })
    .gif({ loop: 0, delay, effort: 5, dither: 1, keepDuplicateFrames: true })
    .toBuffer()
  await writeSynced(file, [writeRecipe(gif, recipe)])
}

const webpQuality = { best: { lossless: true, effort: 4 }, high: { quality: 90 }, small: { quality: 70 } }

export async function writeWebp({ frames, fps }: Clip, file: string, recipe: string, quality: Quality): Promise<void> {
  const stills = await Promise.all(frames.map((frame) => picture(frame).webp(webpQuality[quality]).toBuffer()))
  await writeSynced(file, [writeRecipe(webpAnimation(stills, fps), recipe)])
}

/** One picture as one file. */
export async function writePng(frame: RgbFrame, file: string, recipe: string): Promise<void> {
  await writeSynced(file, [writeRecipe(await picture(frame).png().toBuffer(), recipe)])
}

/** frame-0001.png and so on in a folder that must be new or empty; the folder appears when all are written. */
export async function writePngs({ frames }: Clip, folder: string, recipe: string, signal?: AbortSignal): Promise<void> {
  const there = await readdir(folder).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new ProblemError('disk', `${folder} cannot be used as a folder: ${message}`, {
      file: folder,
      cause: error,
    })
  })
  if (there && there.length > 0)
    throw new ProblemError('bad-input', `${folder} is not empty: name a new folder for the PNG files`, { field: 'out' })
  if (there) await rmdir(folder)
  await makeDurably(folder, async (part) => {
    await mkdir(part)
    const digits = Math.max(4, String(frames.length).length)
    for (const [i, frame] of frames.entries()) {
      if (signal?.aborted) throw new ProblemError('cancelled', 'cancelled')
      await writePng(frame, join(part, `frame-${String(i + 1).padStart(digits, '0')}.png`), recipe)
    }
    await syncFolder(part)
  })
}

const picture = ({ width, height, data }: RgbFrame) =>
  sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false })
