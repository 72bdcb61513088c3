import { arch, cpus } from 'node:os'
import { z } from 'zod'
import { readJsonCache, writeJsonCache } from '#app/files/json-cache.ts'

/** Raised when a kernel changes, so that old measurements are taken anew. */
const version = 4

const figureSchema = z.object({ ms: z.number().nonnegative(), error: z.number().nonnegative() })
/**
 * For each kernel that a shape may have, its processor time of all threads and its largest difference to the plainest,
 * as a part of the largest output.
 */
const measurementSchema = z.record(z.string(), figureSchema)
export type Measurement = z.infer<typeof measurementSchema>
/** By machine, then by shape. */
const cacheSchema = z.record(z.string(), z.record(z.string(), measurementSchema))

/** What measurements hold for: this processor, with that many threads. */
export const machineKey = (threads: number): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown'}, ${arch()}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, v${version}`

/** The measurements of one machine, by shape. */
export async function readMeasurements(file: string, machine: string): Promise<Map<string, Measurement>> {
  return new Map(Object.entries((await readJsonCache(file, cacheSchema))[machine] ?? {}))
}

/** Adds measurements to the file; those of other machines stay, which may share a home folder. */
export async function saveMeasurements(
  file: string,
  machine: string,
  measured: ReadonlyMap<string, Measurement>,
): Promise<void> {
  const all = await readJsonCache(file, cacheSchema)
  await writeJsonCache(file, { ...all, [machine]: { ...all[machine], ...Object.fromEntries(measured) } })
}
