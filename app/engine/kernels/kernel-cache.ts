import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { arch, cpus } from 'node:os'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { ConvMeasurement } from './measure-conv.ts'

/** Raised when a kernel changes, so that old measurements are taken anew. */
const version = 1

const figure = z.object({ ms: z.number().nonnegative(), error: z.number().nonnegative() })
const cacheSchema = z.record(
  z.string(),
  z.record(z.string(), z.object({ direct: figure, winograd2: figure, winograd4: figure })),
)

/** What measurements hold for: this processor, with that many threads. */
export const machineKey = (threads: number): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown'}, ${arch()}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, v${version}`

/** The measurements of one machine, by shape. A damaged or missing file is as one without any. */
export async function readMeasurements(file: string, machine: string): Promise<Map<string, ConvMeasurement>> {
  return new Map(Object.entries((await readAll(file))[machine] ?? {}))
}

/** Adds measurements to the file; those of other machines stay, which may share a home folder. */
export async function saveMeasurements(
  file: string,
  machine: string,
  measured: ReadonlyMap<string, ConvMeasurement>,
): Promise<void> {
  const all = await readAll(file)
  const merged = { ...all, [machine]: { ...all[machine], ...Object.fromEntries(measured) } }
  await mkdir(dirname(file), { recursive: true })
  const part = `${file}.${process.pid}.part`
  await writeFile(part, JSON.stringify(merged, null, 1))
  await rename(part, file)
}

async function readAll(file: string): Promise<z.infer<typeof cacheSchema>> {
  try {
    return cacheSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return {}
  }
}
