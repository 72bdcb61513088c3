import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { kindOf, denoiserKinds, type ModelKind } from '#app/contract/models.ts'
import { pipelines } from '#app/contract/pipelines.ts'
import type { ModelRole } from '#app/contract/pipelines/pipeline.ts'
import { fits } from '#app/contract/pipelines/text-to-video.ts'
import { missingFolders, modelRoots } from '#main/paths.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

/** The setting that names a model of this kind. */
const fieldOf = (kind: ModelKind): string =>
  Object.values(pipelines)
    .flatMap(({ models }) => Object.values<ModelRole<never>>(models))
    .find((role) => role.kind === kind)?.field ?? 'model'

/** All checkpoints: those of the usual folders, of `--models`, and of the folders that are named directly. */
export async function scanModels(
  { engine, progress, signal }: Tools,
  { models }: Pick<GlobalOptions, 'models'>,
  named: readonly (string | undefined)[] = [],
): Promise<LocatedModel[]> {
  for (const folder of models)
    if (!existsSync(folder))
      throw new ProblemError('not-found', `--models ${folder}: there is no such folder.`, { field: 'model' })
  for (const words of missingFolders()) progress.note(`note: ${words}`)
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
  kind: ModelKind,
  wanted: string | undefined,
  fits: (model: LocatedModel) => boolean = () => true,
): LocatedModel {
  const [field, { what }] = [fieldOf(kind), kindOf(kind)]
  const known = models.filter((model) => model.kind === kind)
  const usable = known.filter((model) => !model.problem)
  const list = usable.length ? ` Known: ${usable.map((model) => model.id).join(', ')}.` : ''
  if (wanted === undefined) {
    const first = usable.find(fits)
    if (first) return first
    throw new ProblemError('not-found', `There is no ${what} that fits.${list}`, { field })
  }
  const isMeant = namedBy(wanted)
  // A pipeline and the LoRA that was trained into its folder have one name.
  const model = known.find(isMeant) ?? models.find(isMeant)
  if (!model) {
    const missing = existsSync(wanted)
      ? `${wanted} is no ${what}: "frameloom inspect" tells what it holds.`
      : `There is no ${what} ${JSON.stringify(wanted)}.`
    throw new ProblemError('not-found', missing + list, { field })
  }
  if (model.problem) throw new ProblemError('bad-model', `${model.id}: ${model.problem.message}`, model.problem)
  if (model.kind !== kind)
    throw new ProblemError('bad-model', `${model.id} is a ${kindOf(model.kind).what}, not a ${what}.${list}`, { field })
  return model
}

/** Whether a model is meant by its id, its name or its folder. */
function namedBy(wanted: string): (model: LocatedModel) => boolean {
  const folders = [existsSync(wanted) ? realpathSync(wanted) : undefined, resolve(wanted)]
  return ({ id, folder, name }) =>
    id === wanted || folders.includes(folder) || name.toLowerCase() === wanted.toLowerCase()
}

/**
 * The model with a denoiser that is meant, and the motion adapter that goes with it: the first that fits, where none is
 * named.
 */
export function findPair(
  options: { model?: string; motionAdapter?: string },
  models: readonly LocatedModel[],
): { model: LocatedModel; motionAdapter: LocatedModel | null } {
  const isMeant = options.model === undefined ? () => false : namedBy(options.model)
  const kind = denoiserKinds.find((one) => models.some((model) => model.kind === one && isMeant(model)))
  const model = findModel(models, kind ?? 'stable-diffusion', options.model)
  const motionAdapter =
    options.motionAdapter !== undefined || model.needsMotionAdapter
      ? findModel(models, 'motion-adapter', options.motionAdapter, (one) => fits(model, one))
      : null
  return { model, motionAdapter }
}
