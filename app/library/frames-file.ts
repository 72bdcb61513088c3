import { open } from 'node:fs/promises'
import { z } from 'zod'
import { writeDurably } from '#app/files/durable.ts'
import type { Pixels } from '../contract/engine.ts'
import { classificationResultSchema, type ClassificationResult } from '../contract/results.ts'
import { parseJson } from './rows.ts'

/**
 * The frames that a classification used, with its result beside them: one line of JSON, then RGB24 pixels. So a lost
 * database row can be made again from this file, as a clip's can from the recipe in the clip.
 */
const headerSchema = z.object({
  frameloom: z.literal(1),
  result: classificationResultSchema,
  frames: z.object({ width: z.int().min(1), height: z.int().min(1), count: z.int().min(1) }),
})
export type FramesHeader = z.infer<typeof headerSchema>

/** A header is a few kB: labels, indices, settings. */
const headerLimit = 1024 ** 2

export function writeFrames(file: string, result: ClassificationResult, pixels: Pixels): Promise<void> {
  const { width, height, count, data } = pixels
  const header: FramesHeader = { frameloom: 1, result, frames: { width, height, count } }
  return writeDurably(file, [Buffer.from(`${JSON.stringify(header)}\n`), data], 0o600)
}

/** The header and where the pixels start; null when the file is not one of ours or is cut short. */
export async function readFramesHeader(file: string): Promise<{ header: FramesHeader; pixelsAt: number } | null> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const start = Buffer.alloc(Math.min(size, headerLimit))
    await handle.read(start, 0, start.length, 0)
    const end = start.indexOf('\n')
    if (end < 0) return null
    const parsed = parseJson(headerSchema, start.toString('utf8', 0, end))
    if (!parsed.ok) return null
    const { width, height, count } = parsed.value.frames
    return size === end + 1 + width * height * count * 3 ? { header: parsed.value, pixelsAt: end + 1 } : null
  } finally {
    await handle.close()
  }
}
