import { arch, availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { LocatedModel } from '#app/contract/engine.ts'
import { keptTuningSchema, type KeptTuning, type ProfileShape } from '#app/contract/profile.ts'
import { readJsonCache, writeJsonCache } from '#app/files/json-cache.ts'
import { fieldDefaults, type Fields } from '#app/contract/pipelines/fields.ts'
import { dataDir } from './paths.ts'

/** What a proposal was chosen for: another model, size or machine has other figures. */
export type TuningKey = {
  readonly model: Pick<LocatedModel, 'folder' | 'bytes'>
  readonly motionAdapter: Pick<LocatedModel, 'folder' | 'bytes'> | null
  readonly shape: ProfileShape
}

export const tuningKey = (
  settings: MeasuredSettings,
  { model, motionAdapter }: Pick<TuningKey, 'model' | 'motionAdapter'>,
): TuningKey => ({ model, motionAdapter, shape: shapeOf(settings) })

/** The settings of any pipeline: what it has no field for does not change what its model does. */
export type MeasuredSettings = Pick<Fields, 'compute'> &
  Partial<Pick<Fields, 'width' | 'height' | 'numFrames' | 'guidanceScale'>>

/** At what these settings run their model: guidance above 1 shows it each clip twice, with the prompt and without. */
export const shapeOf = ({ compute, guidanceScale = 1, numFrames = 1, ...size }: MeasuredSettings): ProfileShape => ({
  width: size.width ?? fieldDefaults.width,
  height: size.height ?? fieldDefaults.height,
  numFrames,
  batch: guidanceScale > 1 ? 2 : 1,
  compute,
})

const tuningsSchema = z.record(z.string(), keptTuningSchema)

export const tuningsFile = (folder = dataDir()): string => join(folder, 'tunings.json')

/**
 * Proposals of `autotune` that were chosen, in a file that the studio and the command line share. One that cannot be
 * read is as none.
 */
export async function keptTuning(key: TuningKey, file = tuningsFile()): Promise<KeptTuning | null> {
  return (await readJsonCache(file, tuningsSchema))[keyOf(key)] ?? null
}

/** Keeps a choice in the place of an earlier one. Throws `disk` when the file cannot be written. */
export async function keepTuning(key: TuningKey, tuning: KeptTuning, file = tuningsFile()): Promise<void> {
  await writeJsonCache(file, { ...(await readJsonCache(file, tuningsSchema)), [keyOf(key)]: tuning })
}

function keyOf({ model, motionAdapter, shape }: TuningKey): string {
  const { width, height, numFrames, batch, compute } = shape
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${arch()}, ${availableParallelism()} threads`
  const nameOf = (one: { folder: string; bytes: number }): string => `${one.folder} (${one.bytes} bytes)`
  return [
    nameOf(model),
    ...(motionAdapter ? [nameOf(motionAdapter)] : []),
    `${batch}x${numFrames}x${width}x${height}`,
    `${compute.precision}${compute.exact ? ' exact' : ''}`,
    machine,
  ].join(', ')
}
