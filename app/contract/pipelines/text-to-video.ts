import { z } from 'zod'
import type { ModelEntry } from '../models.ts'
import { fieldDefaults, fields } from './fields.ts'
import { badInput, type FieldProblem, type Pipeline } from './pipeline.ts'
import {
  checkDiffusion,
  diffusionFields,
  diffusionModels,
  stableDiffusion,
  suitedDiffusion,
} from './stable-diffusion.ts'

const settings = z.object({
  ...diffusionFields,
  motionAdapter: fields.motionAdapter,
  numFrames: fields.numFrames,
  fps: fields.fps,
})
export type TextToVideoSettings = z.infer<typeof settings>

/** AnimateDiff: a Stable Diffusion UNet with motion modules (arXiv 2307.04725). Reference: AnimateDiffPipeline. */
export const textToVideo = {
  ...stableDiffusion,
  name: 'text-to-video',
  title: 'Text to video',
  makes: 'clip',
  settings,
  models: {
    ...diffusionModels,
    motionAdapter: {
      kind: 'motion-adapter',
      field: 'motionAdapter',
      ids: ({ motionAdapter }) => (motionAdapter === null ? [] : [motionAdapter]),
    },
  },
  sections: ['model', 'prompt', 'clip', 'sampling', 'scheduler', 'freeu', 'compute', 'advanced'],
  suited(settings, model, models) {
    const fitting = adaptersFor(model, models).adapters
    const adapter = fitting.find(({ id }) => id === settings.motionAdapter) ?? fitting[0]
    const suggested = adapter?.suggested?.numFrames ?? model.suggested?.numFrames ?? fieldDefaults.numFrames
    const suited = suitedDiffusion(settings, model, models)
    return {
      ...suited,
      motionAdapter: adapter?.id ?? null,
      numFrames: Math.min(suggested, mostFrames(model, adapter) ?? Infinity),
      // Stable Diffusion's own schedule is another one than that on which motion adapters were trained.
      schedulerConfig: { ...(model.needsMotionAdapter && { beta_schedule: 'linear' }), ...suited.schedulerConfig },
    }
  },
  check(settings, found, models) {
    const [model] = found.model ?? []
    const [adapter] = found.motionAdapter ?? []
    const problems = checkDiffusion(settings, found)
    // An adapter that is named and not here was told of already.
    if (model && (adapter || settings.motionAdapter === null)) problems.push(...pairProblems(model, adapter, models))
    const most = model && mostFrames(model, adapter)
    if (model && most !== undefined && settings.numFrames > most) {
      const mover = (adapter ?? model).name
      problems.push(
        badInput('numFrames', `${settings.numFrames} frames are more than ${mover} can make: at most ${most}.`),
      )
    }
    return problems
  },
} as const satisfies Pipeline<TextToVideoSettings>

/** Why a model and the motion adapter beside it, or its absence, make no clips. */
export function pairProblems(
  model: ModelEntry,
  adapter: ModelEntry | undefined,
  models: readonly ModelEntry[],
): FieldProblem[] {
  const refuse = (message: string): FieldProblem[] => [badInput('motionAdapter', message)]
  if (!adapter)
    return model.needsMotionAdapter
      ? refuse(adaptersFor(model, models).none ?? `${model.name} makes stills only: choose a motion adapter beside it.`)
      : []
  if (!model.needsMotionAdapter)
    return refuse(`${model.name} has its own motion modules: use it without a motion adapter.`)
  if (!model.blockOutChannels || !adapter.blockOutChannels || fits(model, adapter)) return []
  return refuse(
    `${adapter.name} does not fit ${model.name}: its block channels are ${channels(adapter)}, the model's are ${channels(model)}.`,
  )
}

const channels = ({ blockOutChannels }: ModelEntry): string => blockOutChannels?.join(', ') ?? 'unknown'

/** A motion adapter fits a UNet of the same block channels. */
export const fits = (model: ModelEntry, adapter: ModelEntry): boolean =>
  model.blockOutChannels !== undefined && channels(model) === channels(adapter)

/** The motion adapters that fit a model, and in words why there is none. */
export function adaptersFor(
  model: ModelEntry,
  models: readonly ModelEntry[],
): { adapters: ModelEntry[]; none?: string } {
  if (!model.needsMotionAdapter) return { adapters: [] }
  const all = models.filter(({ kind, problem }) => kind === 'motion-adapter' && !problem)
  const adapters = all.filter((adapter) => fits(model, adapter))
  if (adapters.length > 0) return { adapters }
  const others = all.map((adapter) => `${adapter.name} has ${channels(adapter)}`).join('; ')
  const none =
    all.length === 0
      ? `${model.name} draws stills: it needs a motion adapter to make clips, and none was found. Put one into a model folder.`
      : `None of the ${all.length} motion adapters fits ${model.name}: its blocks have ${channels(model)} channels, ${others}.`
  return { adapters: [], none }
}

/** The most frames a model and its adapter make; undefined where nothing limits them. */
export const mostFrames = (model: ModelEntry, adapter: ModelEntry | undefined): number | undefined =>
  model.needsMotionAdapter ? adapter?.numFrames : model.numFrames
