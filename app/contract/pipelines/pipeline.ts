import type { z } from 'zod'
import type { Problem } from '../errors.ts'
import { takesWords, type MediaRef, type Takes } from '../media-refs.ts'
import { modelKinds, type ModelEntry, type ModelKind } from '../models.ts'
import { unknownNames } from '../prompts/names.ts'
import type { LiveControls } from '../settings.ts'
import type { Fields } from './fields.ts'

/** What a run ends with as a file of its own: an animated or a still picture, or an embedding. */
export type MakesFile = 'clip' | 'still' | 'embedding'
/** All that a run can end with: such a file, or the labels of a clip. */
export type Makes = MakesFile | 'labels'

/** What one wants to do, in a word, in the order of the form's first choice. */
export const aims = { clip: 'Clip', still: 'Still', vary: 'Vary', mix: 'Mix', read: 'Read' } as const
export type Aim = keyof typeof aims

/** The settings that every pipeline has. */
export type BaseSettings = Pick<Fields, 'model' | 'compute'>

/** Models, or pictures and clips, by their role in a pipeline, each role's in the order of the settings. */
export type ByRole<M> = Readonly<Record<string, readonly M[]>>

/** What a pipeline needs a model for. */
export type ModelRole<S> = {
  readonly kind: ModelKind
  /** The field of the settings that names it, where a problem with it is shown. */
  readonly field: keyof Fields
  /** The ids that settings name in this role. */
  ids(settings: S): readonly string[]
}

/** What a pipeline needs a picture or a clip for. */
export type MediaRole<S> = {
  readonly takes: Takes
  /** The field of the settings that holds it, where a problem with it is shown. */
  readonly field: keyof Fields
  /** In the middle of a sentence, where it is not just "picture" or "clip". */
  readonly what?: string
  /** What one does with a result that is put here, as a button says it. Roles of one use have the same words. */
  readonly use: string
  /** The kind of model beside the pipeline's own that reads it. */
  readonly reader?: ModelKind
  /** A run can do without. */
  readonly optional?: boolean
  /** Those that settings name in this role. */
  refs(settings: S): readonly MediaRef[]
  /** The settings with one more in it, or with another where there is but one; with a reader of `models` for it. */
  put(settings: S, ref: MediaRef, models: readonly ModelEntry[]): S
}

/** What is wrong with a request: `field` is the one that would have to change. */
export type FieldProblem = Problem & { readonly field: keyof Fields }

/**
 * A pipeline: all that page, host and command line know of it. How it runs stands in the engine's table of runners, by
 * the same name. Adding one: docs/contributing.md, "Add a pipeline".
 */
export type Pipeline<S extends BaseSettings = BaseSettings> = {
  readonly name: string
  readonly title: string
  readonly makes: Makes
  /** What one wants who takes it; the first is what it is shown under where nobody has chosen. */
  readonly aims: readonly [Aim, ...Aim[]]
  /** Whether it reads a clip: a file, or one of the library. */
  readonly takesClip: boolean
  /** All that a user chooses, out of `fields`. Its keys decide which controls and options there are. */
  readonly settings: z.ZodObject<z.ZodRawShape> & z.ZodType<S>
  readonly models: Readonly<Record<string, ModelRole<S>>>
  /** The pictures and clips that go into it, by role; absent where there are none. */
  readonly media?: Readonly<Record<string, MediaRole<S>>>
  /** What can be changed while it runs. */
  readonly live: readonly (keyof LiveControls)[]
  /** The sections of its form, by their names in the page's table. */
  readonly sections: readonly string[]
  /** What a job or a result is called; a pipeline that takes a clip is called as that is. */
  titleOf(settings: S): string
  /** Denoising steps; 0 where there are none. */
  stepsOf(settings: S): number
  /** The settings turned to another model: its sizes and suggestions, and the models beside it that fit. */
  suited(settings: S, model: ModelEntry, models: readonly ModelEntry[]): S
  /** What does not fit, of settings that are valid one by one and models that are there and of the right kinds. */
  check(settings: S, found: ByRole<ModelEntry>, models: readonly ModelEntry[]): readonly FieldProblem[]
}

export const badInput = (field: keyof Fields, message: string): FieldProblem => ({ code: 'bad-input', message, field })

/** The models that settings name and that are there, by role. */
export function modelsOf<S extends BaseSettings, M extends ModelEntry>(
  pipeline: Pipeline<S>,
  settings: S,
  models: readonly M[],
): ByRole<M> {
  const found = Object.entries(pipeline.models).map(([name, role]) => [
    name,
    role.ids(settings).flatMap((id) => models.find((model) => model.id === id) ?? []),
  ])
  return Object.fromEntries(found) as ByRole<M>
}

/** The pictures and clips that settings name, by role. */
export const mediaOf = <S extends BaseSettings>({ media = {} }: Pipeline<S>, settings: S): ByRole<MediaRef> =>
  Object.fromEntries(Object.entries(media).map(([name, role]) => [name, role.refs(settings)]))

/**
 * Why settings cannot be run with these models, in words; empty when they can. The one place that says so: the page
 * shows all of it at the fields, the host refuses with the first, the command line prints that.
 */
export function problemsOf<S extends BaseSettings>(
  pipeline: Pipeline<S>,
  settings: S,
  models: readonly ModelEntry[],
): FieldProblem[] {
  const roles = Object.values(pipeline.models)
  const named = new Set<string>(roles.map(({ field }) => field))
  const ofModels = roles.flatMap((role) => roleProblems(role, role.ids(settings), models))
  const ofValues = (pipeline.settings.safeParse(settings).error?.issues ?? [])
    .map((issue) => badInput(String(issue.path[0] ?? 'model') as keyof Fields, inWords(issue, settings)))
    // A model that is not chosen yet is told of in better words.
    .filter(({ field }) => !named.has(field) || !ofModels.some((problem) => problem.field === field))
  const ofMedia = Object.values(pipeline.media ?? {}).flatMap((role) => mediaProblems(role, settings))
  const problems = [...ofValues, ...ofModels, ...ofMedia]
  const unknown = unknownNames(settings, models)
  if (unknown.length > 0)
    problems.push(
      badInput(
        'prompt',
        `The prompt names ${unknown.join(' and ')}, not here: add its folder in Settings, or read prompts as plain words.`,
      ),
    )
  const hasModel = ofModels.every(({ field }) => field !== 'model')
  return hasModel ? [...problems, ...pipeline.check(settings, modelsOf(pipeline, settings, models), models)] : problems
}

function mediaProblems<S>(role: MediaRole<S>, settings: S): FieldProblem[] {
  const { takes, field, what = takesWords[takes], optional } = role
  if (optional || role.refs(settings).length > 0) return []
  return [badInput(field, `Choose a ${what}: this cannot be made without one.`)]
}

/** What is wrong with a number, in words; other values get zod's own. */
function inWords(issue: z.core.$ZodIssue, settings: object): string {
  const value: unknown = issue.path.reduce<unknown>(
    (part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key],
    settings,
  )
  if (typeof value !== 'number') return issue.message
  if (issue.code === 'too_big') return `${value} is too large: at most ${issue.maximum}.`
  if (issue.code === 'too_small') return `${value} is too small: at least ${issue.minimum}.`
  if (issue.code === 'invalid_type' && !Number.isInteger(value))
    return `${value} is not a whole number: use ${Math.floor(value)} or ${Math.ceil(value)}.`
  return issue.message
}

function roleProblems<S>(
  { kind, field }: ModelRole<S>,
  ids: readonly string[],
  models: readonly ModelEntry[],
): FieldProblem[] {
  const { what } = modelKinds[kind]
  return ids.flatMap((id, i) => {
    const model = models.find((entry) => entry.id === id)
    if (id === '') return badInput(field, `No ${what} was found. Add a folder with checkpoints in Settings.`)
    if (!model)
      return badInput(field, `The ${what} “${id}” is not here. Choose another, or add its folder in Settings.`)
    if (model.problem) return { ...model.problem, code: 'bad-model', field } as const
    if (model.kind !== kind) return badInput(field, `${model.name} is a ${modelKinds[model.kind].what}, not a ${what}.`)
    return ids.indexOf(id) < i ? badInput(field, `The ${what} ${model.name} is there twice: remove one.`) : []
  })
}
