import type { EngineCalls, LocatedModel } from '#app/contract/engine.ts'
import type { MotionChoice } from '#app/contract/studio.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { denoiserKinds } from '#app/contract/models.ts'
import { pairProblems } from '#app/contract/pipelines/text-to-video.ts'
import type { JobTools } from './run-job.ts'

type Tools = Pick<JobTools, 'engine' | 'models' | 'library'>

/**
 * A text-to-video model with its adapter, or a motion adapter by itself. Throws a ProblemError that names the field.
 */
async function find({ models }: Tools, choice: MotionChoice): Promise<EngineCalls['freezeUnet2d']['request']> {
  const { kind } = await models.get(choice.model, 'model')
  return kind === 'motion-adapter'
    ? { model: await models.find(choice.model, kind, 'model'), motionAdapter: null }
    : findPair({ models }, choice)
}

/** A model and the motion adapter beside it, which must fit. Throws a ProblemError that names the field. */
async function findPair({ models }: Pick<Tools, 'models'>, choice: MotionChoice) {
  const found = await findModels({ models }, choice)
  const [problem] = pairProblems(found.model, found.motionAdapter ?? undefined, await models.all())
  if (problem) throw new ProblemError(problem.code, problem.message, problem)
  return found
}

/** A model with a denoiser, with a motion adapter or without one. */
export async function findModels({ models }: Pick<Tools, 'models'>, { model, motionAdapter }: MotionChoice) {
  const { kind } = await models.get(model, 'model')
  return {
    model: await models.find(model, denoiserKinds.find((one) => one === kind) ?? 'stable-diffusion', 'model'),
    motionAdapter: motionAdapter === null ? null : await models.find(motionAdapter, 'motion-adapter', 'motionAdapter'),
  }
}

/** Counts and names of what stays and what may be trained when only the motion of a model is. */
export const freezeUnet2d = async (tools: Tools, choice: MotionChoice, signal?: AbortSignal) =>
  tools.engine.call('freezeUnet2d', await findPair(tools, choice), signal ? { signal } : {})

/** Writes a model's motion modules to a new folder among the user's models, where they are found from then on. */
export async function saveMotionModules(
  tools: Tools,
  { name, ...choice }: MotionChoice & { name: string },
): Promise<{ location: string }> {
  const { library } = tools
  const found = await find(tools, choice)
  const out = library.newModelFolder(name)
  await tools.engine.call('saveMotionModules', { ...found, out })
  await tools.models.refresh()
  return { location: out }
}

export const inspectModel = async (tools: Tools, { folder }: LocatedModel, signal?: AbortSignal) =>
  tools.engine.call('inspect', { path: folder }, signal ? { signal } : {})
