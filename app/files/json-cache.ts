import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { z } from 'zod'
import { makeDurably, writeSynced } from './durable.ts'

/** A small file that saves time, by key. One that is damaged, of another version or not there is as one without any. */
export async function readJsonCache<Value>(
  file: string,
  schema: z.ZodType<Record<string, Value>>,
): Promise<Record<string, Value>> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return {}
  }
}

/** Replaces the file, and makes its folder. Throws `disk` when it cannot be written. */
export async function writeJsonCache(file: string, entries: Readonly<Record<string, unknown>>): Promise<void> {
  await makeDurably(file, async (part) => {
    await mkdir(dirname(file), { recursive: true })
    await writeSynced(part, [new TextEncoder().encode(`${JSON.stringify(entries, null, 1)}\n`)])
  })
}
