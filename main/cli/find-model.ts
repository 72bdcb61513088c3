import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import { modelRoots } from '#main/paths.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

type Task = ModelEntry['task']

const words: Record<Task, { field: 'model' | 'motionAdapter' | 'loras' | 'attnProcessor'; what: string }> = {
  'text-to-video': { field: 'model', what: 'text-to-video model' },
  'motion-adapter': { field: 'motionAdapter', what: 'motion adapter' },
  lora: { field: 'loras', what: 'LoRA' },
  'custom-diffusion': { field: 'attnProcessor', what: 'set of Custom Diffusion weights' },
  'video-classification': { field: 'model', what: 'video classifier' },
}

/** All checkpoints: those of the usual folders, of `--models`, and of the folders that are named directly. */
export async function scanModels(
  { engine, signal }: Pick<Tools, 'engine' | 'signal'>,
  { models }: Pick<GlobalOptions, 'models'>,
  named: readonly (string | undefined)[] = [],
): Promise<LocatedModel[]> {
  for (const folder of models)
    if (!existsSync(folder))
      throw new ProblemError('not-found', `--models ${folder}: there is no such folder.`, { field: 'model' })
  const folders = named.filter((name): name is string => name !== undefined && existsSync(name))
  const roots = modelRoots([...models, ...folders].map((folder) => resolve(folder)))
  const found = await engine.call('scanModels', { roots }, { signal })
  return found.models
}

/**
 * The model that `wanted` names by id, name or folder; without it the first usable one that `fits`.
 * Throws 'not-found' with the known ones, 'bad-model' for one that cannot be used.
 */
export function findModel(
  models: readonly LocatedModel[],
  task: Task,
  wanted: string | undefined,
  fits: (model: LocatedModel) => boolean = () => true,
): LocatedModel {
  const { field, what } = words[task]
  const known = models.filter((model) => model.task === task)
  const usable = known.filter((model) => !model.problem)
  const list = usable.length ? ` Known: ${usable.map((model) => model.id).join(', ')}.` : ''
  if (wanted === undefined) {
    const first = usable.find(fits)
    if (first) return first
    throw new ProblemError('not-found', `There is no ${what} that fits.${list}`, { field })
  }
  const folder = existsSync(wanted) ? realpathSync(wanted) : undefined
  const model = models.find(
    (model) =>
      model.id === wanted ||
      [folder, resolve(wanted)].includes(model.folder) ||
      model.name.toLowerCase() === wanted.toLowerCase(),
  )
  if (!model) {
    const missing = folder
      ? `${wanted} is no ${what}: "frameloom inspect" tells what it holds.`
      : `There is no ${what} ${JSON.stringify(wanted)}.`
    throw new ProblemError('not-found', missing + list, { field })
  }
  if (model.problem) throw new ProblemError('bad-model', `${model.id}: ${model.problem.message}`, model.problem)
  if (model.task !== task)
    throw new ProblemError('bad-model', `${model.id} is a ${words[model.task].what}, not a ${what}.${list}`, { field })
  return model
}

/** The model that is meant, and the motion adapter that goes with it: the first that fits, where none is named. */
export function findPair(
  options: { model?: string; motionAdapter?: string },
  models: readonly LocatedModel[],
): { model: LocatedModel; motionAdapter: LocatedModel | null } {
  const model = findModel(models, 'text-to-video', options.model)
  const motionAdapter =
    options.motionAdapter !== undefined || model.needsMotionAdapter
      ? findModel(models, 'motion-adapter', options.motionAdapter, (one) => sameChannels(one, model))
      : null
  return { model, motionAdapter }
}

const sameChannels = (a: LocatedModel, b: LocatedModel): boolean =>
  JSON.stringify(a.blockOutChannels) === JSON.stringify(b.blockOutChannels)
