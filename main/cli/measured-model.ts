import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { LocatedModel } from '#app/contract/engine.ts'
import type { ProfileShape } from '#app/contract/profile.ts'
import type { TuningKey } from '#main/tunings.ts'
import { computeOf, type ComputeOptions } from './compute.ts'
import { findModel, findPair, scanModels } from './find-model.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

export type MeasureOptions = GlobalOptions &
  ComputeOptions & {
    motionAdapter?: string
    size?: { width: number; height: number }
    frames?: number
    batch?: number
    json?: boolean
  }

/** Of a model's own folder, where no pipeline says what suits it. */
const usual = { size: 512, frames: 16 }

/**
 * The model that is to be measured and at what: a model as `generate` takes it, or `bare`, the folder
 * of one model. Errors as of `findModel`.
 */
export async function findMeasured(wanted: string | undefined, options: MeasureOptions, tools: Tools) {
  const compute = computeOf(options)
  const models = await scanModels(tools, options, [wanted, options.motionAdapter])
  const bare = wanted !== undefined && existsSync(join(wanted, 'config.json'))
  const found = bare
    ? { model: bareModel(wanted), motionAdapter: adapterOf(options, models) }
    : findPair({ ...options, ...(wanted !== undefined && { model: wanted }) }, models)
  const { nativeSize = usual.size } = found.model
  const suggested = found.motionAdapter?.suggested?.numFrames ?? found.model.suggested?.numFrames
  const shape: ProfileShape = {
    width: options.size?.width ?? nativeSize,
    height: options.size?.height ?? nativeSize,
    numFrames: options.frames ?? suggested ?? usual.frames,
    // With guidance a model sees each clip twice, with the prompt and without.
    batch: options.batch ?? (bare ? 1 : 2),
    compute,
  }
  const request = { model: found.model.folder, motionAdapter: found.motionAdapter?.folder ?? null }
  const key: TuningKey = { ...found, shape }
  return { request, shape, key, bare }
}

type Measured = Pick<LocatedModel, 'folder' | 'bytes'> & Partial<Pick<LocatedModel, 'nativeSize' | 'suggested'>>

const bareModel = (folder: string): Measured => ({ folder: resolve(folder), bytes: 0 })

const adapterOf = ({ motionAdapter }: MeasureOptions, models: readonly LocatedModel[]): LocatedModel | null =>
  motionAdapter === undefined ? null : findModel(models, 'motion-adapter', motionAdapter)
