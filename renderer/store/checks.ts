import { weightsOf } from '#app/contract/attn-processors.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import type { Problem } from '#app/contract/errors.ts'
import { computeProblem, type KnownCompute } from './compute.ts'
import { adaptersFor, mostFrames } from './models.ts'
import type { Draft } from './draft.ts'
import { toSettings } from './draft.ts'
import { generateSettingsSchema } from '#app/contract/settings.ts'

export type FieldProblems = Readonly<Partial<Record<keyof Draft, string>>>

/** What keeps the draft from running, by field, in words. Empty when it can be sent. `engine` knows what it can compute on. */
export function checkDraft(draft: Draft, models: readonly ModelEntry[], engine: KnownCompute = null): FieldProblems {
  const problems: Partial<Record<keyof Draft, string>> = {}
  const parsed = generateSettingsSchema.safeParse(toSettings(draft))
  for (const issue of parsed.error?.issues ?? []) problems[issue.path[0] as keyof Draft] ??= issue.message
  const unfit = computeProblem(draft.compute, engine)
  if (unfit) problems.compute = unfit

  const model = models.find((entry) => entry.id === draft.model)
  if (!model)
    return {
      ...problems,
      model: draft.model
        ? `“${draft.model}” is not in the model folders any more. Choose another, or add its folder in Settings.`
        : 'No text-to-video model was found. Add a folder with checkpoints in Settings.',
    }
  if (model.problem) problems.model = model.problem.message

  const { adapters, none } = adaptersFor(model, models)
  const adapter = adapters.find((entry) => entry.id === draft.motionAdapter)
  if (none) problems.motionAdapter = none
  else if (model.needsMotionAdapter && !adapter)
    problems.motionAdapter = `Choose a motion adapter that fits ${model.name}.`

  const lost = draft.loras.find(({ id }) => !models.some((entry) => entry.id === id && entry.task === 'lora'))
  if (lost) problems.loras = `The LoRA “${lost.id}” is not here: add its folder in Settings, or remove it.`
  const twice = draft.loras.find(({ id }, at) => draft.loras.findIndex((other) => other.id === id) !== at)
  if (twice) problems.loras = `The LoRA “${twice.id}” is there twice: remove one.`

  const gone = weightsOf(draft.attnProcessor).find(
    (id) => !models.some((entry) => entry.id === id && entry.task === 'custom-diffusion'),
  )
  if (gone)
    problems.attnProcessor = `The Custom Diffusion weights “${gone}” are not here: add their folder in Settings, or choose another attention.`

  const multiple = model.sizeMultiple ?? 1
  for (const side of ['width', 'height'] as const)
    if (draft[side] % multiple !== 0)
      problems[side] =
        `${side === 'width' ? 'Width' : 'Height'} must be a multiple of ${multiple} here: ${nearest(draft[side], multiple)}.`

  const most = mostFrames(model, adapter)
  if (most !== undefined && draft.numFrames > most)
    problems.numFrames = `${(adapter ?? model).name} makes ${most} frames at most.`
  return problems
}

function nearest(value: number, multiple: number): string {
  const below = Math.floor(value / multiple) * multiple
  return below > 0 ? `${below} or ${below + multiple}` : String(multiple)
}

/** The form field that a host's problem is about, if it is about one. */
export function fieldOf(problem: Problem, draft: Draft): keyof Draft | undefined {
  const name = problem.field?.split('.').find((part) => part in draft)
  return name as keyof Draft | undefined
}
