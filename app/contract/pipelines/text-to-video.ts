import { z } from 'zod'
import { freeInitSteps } from '../free-init.ts'
import { longClipProblem, type LongClip } from '../long-clips.ts'
import type { ModelEntry } from '../models.ts'
import { checkConditioning, conditioningFields, conditioningMedia, conditioningModels } from './conditioning.ts'
import { fieldDefaults, fields } from './fields.ts'
import { badInput, type ByRole, type FieldProblem, type ModelRole, type Pipeline } from './pipeline.ts'
import {
  checkDiffusion,
  diffusionFields,
  diffusionModels,
  stableDiffusion,
  suitedDiffusion,
} from './stable-diffusion.ts'

/** What every pipeline with motion modules lets a user choose. */
export const clipFields = {
  ...diffusionFields,
  motionAdapter: fields.motionAdapter,
  numFrames: fields.numFrames,
  fps: fields.fps,
  laterPrompts: fields.laterPrompts,
  longClip: fields.longClip,
  splitInference: fields.splitInference,
  freeInit: fields.freeInit,
}
type WithPrompts = z.infer<z.ZodObject<typeof clipFields>>
type ClipSettings = Omit<WithPrompts, 'laterPrompts'>

/** The same where models beside it steer the clip. */
export const steeredFields = { ...clipFields, ...conditioningFields }
const settings = z.object(steeredFields)
export type TextToVideoSettings = z.infer<typeof settings>

export const clipModels = {
  ...diffusionModels,
  motionAdapter: {
    kind: 'motion-adapter',
    field: 'motionAdapter',
    ids: ({ motionAdapter }) => (motionAdapter === null ? [] : [motionAdapter]),
  },
} as const satisfies Record<string, ModelRole<ClipSettings>>

export const steeredModels = { ...clipModels, ...conditioningModels } as const

/** AnimateDiff: a Stable Diffusion UNet with motion modules (arXiv 2307.04725). Reference: AnimateDiffPipeline. */
export const textToVideo = {
  ...stableDiffusion,
  name: 'text-to-video',
  title: 'Text to video',
  makes: 'clip',
  aims: ['clip'],
  settings,
  models: steeredModels,
  stepsOf: ({ numInferenceSteps, freeInit }: ClipSettings): number =>
    freeInit
      ? freeInitSteps(freeInit, numInferenceSteps).reduce((sum, { laidOut }) => sum + laidOut, 0)
      : numInferenceSteps,
  media: conditioningMedia<TextToVideoSettings>(),
  sections: [
    'model',
    'prompt',
    'clip',
    'steering',
    'longClip',
    'sampling',
    'scheduler',
    'freeu',
    'compute',
    'advanced',
  ],
  suited: suitedClip,
  check: checkSteered,
} as const satisfies Pipeline<TextToVideoSettings>

/** As `suitedDiffusion`, with a motion adapter that fits and its frames. */
export function suitedClip<S extends ClipSettings>(settings: S, model: ModelEntry, models: readonly ModelEntry[]): S {
  const fitting = adaptersFor(model, models).adapters
  const chosen = fitting.find(({ id }) => id === settings.motionAdapter)
  // Of those that fit, one of the user's own goes with a model of theirs.
  const adapter = chosen ?? fitting.find(({ demo }) => demo === model.demo) ?? fitting[0]
  const suggested = adapter?.suggested?.numFrames ?? model.suggested?.numFrames ?? fieldDefaults.numFrames
  const suited = suitedDiffusion(settings, model, models)
  return {
    ...suited,
    motionAdapter: adapter?.id ?? null,
    numFrames: Math.min(suggested, mostFrames(model, adapter) ?? Infinity),
    // Stable Diffusion's own schedule is another one than that on which motion adapters were trained.
    schedulerConfig: { ...(model.needsMotionAdapter && { beta_schedule: 'linear' }), ...suited.schedulerConfig },
  }
}

export function checkClip(
  settings: WithPrompts,
  found: ByRole<ModelEntry>,
  models: readonly ModelEntry[],
): FieldProblem[] {
  const [model] = found.model ?? []
  const [adapter] = found.motionAdapter ?? []
  const problems = [...checkDiffusion(settings, found), ...lengthProblems(settings, found)]
  // An adapter that is named and not here was told of already.
  if (model && (adapter || settings.motionAdapter === null)) problems.push(...pairProblems(model, adapter, models))
  return problems
}

export function checkSteered(
  settings: TextToVideoSettings,
  found: ByRole<ModelEntry>,
  models: readonly ModelEntry[],
): FieldProblem[] {
  return [...checkClip(settings, found, models), ...checkConditioning(settings, found)]
}

/** Why a clip of so many frames cannot be made with these models, in this way, of these prompts. */
function lengthProblems({ longClip, laterPrompts, numFrames }: WithPrompts, found: ByRole<ModelEntry>): FieldProblem[] {
  const [model] = found.model ?? []
  const [adapter] = found.motionAdapter ?? []
  const most = model && mostFrames(model, adapter)
  const late = laterPrompts.filter(({ frame }) => frame >= numFrames)
  const frames = laterPrompts.map(({ frame }) => frame)
  const twice = frames.find((frame, i) => frames.indexOf(frame) < i)
  return [
    ...tooLong(longClip, numFrames, most, (adapter ?? model)?.name),
    ...late.map(({ frame }) =>
      badInput('laterPrompts', `There is a prompt for frame ${frame}, but the last frame is ${numFrames - 1}.`),
    ),
    ...(twice === undefined ? [] : [badInput('laterPrompts', `There are two prompts for frame ${twice}.`)]),
  ]
}

function tooLong(
  longClip: LongClip | null,
  numFrames: number,
  most: number | undefined,
  mover: string | undefined,
): FieldProblem[] {
  if (longClip) {
    const problem = longClipProblem(longClip, numFrames, most)
    return problem === undefined ? [] : [badInput('longClip', problem)]
  }
  if (most === undefined || numFrames <= most) return []
  const message = `${numFrames} frames are more than ${mover} can make at once: at most ${most}. Windows or FreeNoise make longer clips.`
  return [badInput('numFrames', message)]
}

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
