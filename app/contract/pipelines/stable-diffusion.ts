import type { z } from 'zod'
import { weightsOf } from '../attn-processors.ts'
import type { ModelEntry } from '../models.ts'
import { forScheduler, isSchedulerClass, schedulerTable, type SchedulerChanges } from '../schedulers.ts'
import { badInput, type ByRole, type FieldProblem, type ModelRole } from './pipeline.ts'
import { fieldDefaults, fields } from './fields.ts'

/** What every pipeline over a Stable Diffusion checkpoint lets a user choose. */
export const diffusionFields = {
  model: fields.model,
  prompt: fields.prompt,
  negativePrompt: fields.negativePrompt,
  promptSyntax: fields.promptSyntax,
  embeddings: fields.embeddings,
  vae: fields.vae,
  textEncoder: fields.textEncoder,
  previewVae: fields.previewVae,
  width: fields.width,
  height: fields.height,
  numInferenceSteps: fields.numInferenceSteps,
  guidanceScale: fields.guidanceScale,
  guidanceRescale: fields.guidanceRescale,
  seed: fields.seed,
  scheduler: fields.scheduler,
  schedulerConfig: fields.schedulerConfig,
  eta: fields.eta,
  freeu: fields.freeu,
  freeuChanges: fields.freeuChanges,
  forwardChunking: fields.forwardChunking,
  attnProcessor: fields.attnProcessor,
  fuseQkv: fields.fuseQkv,
  vaeTiling: fields.vaeTiling,
  loras: fields.loras,
  loraChanges: fields.loraChanges,
  clipSkip: fields.clipSkip,
  compute: fields.compute,
}
export type DiffusionSettings = z.infer<z.ZodObject<typeof diffusionFields>>

/** The part of a record that pipelines over a Stable Diffusion checkpoint have in common. */
export const stableDiffusion = {
  takesClip: false,
  live: ['freeu', 'loraScales'],
  titleOf: ({ prompt }: DiffusionSettings): string => prompt,
  stepsOf: ({ numInferenceSteps }: DiffusionSettings): number => numInferenceSteps,
} as const

export const diffusionModels = {
  model: { kind: 'stable-diffusion', field: 'model', ids: ({ model }) => [model] },
  loras: { kind: 'lora', field: 'loras', ids: ({ loras }) => loras.map(({ id }) => id) },
  embeddings: { kind: 'embedding', field: 'embeddings', ids: ({ embeddings }) => embeddings },
  vae: { kind: 'vae', field: 'vae', ids: ({ vae }) => (vae === null ? [] : [vae]) },
  previewVae: {
    kind: 'vae',
    field: 'previewVae',
    ids: ({ previewVae }) => (previewVae === null ? [] : [previewVae]),
  },
  textEncoder: {
    kind: 'text-encoder',
    field: 'textEncoder',
    ids: ({ textEncoder }) => (textEncoder === null ? [] : [textEncoder]),
  },
  customDiffusion: {
    kind: 'custom-diffusion',
    field: 'attnProcessor',
    ids: ({ attnProcessor }) => weightsOf(attnProcessor),
  },
} as const satisfies Record<string, ModelRole<DiffusionSettings>>

type Schedule = Pick<DiffusionSettings, 'model' | 'scheduler' | 'schedulerConfig'>
type Suited = Schedule & Pick<DiffusionSettings, 'prompt' | 'width' | 'height' | 'numInferenceSteps' | 'guidanceScale'>

/**
 * The settings with the size, steps, guidance and prompt of a model; the prompt only where the user has not written
 * one.
 */
export function suitedDiffusion<S extends Suited>(settings: S, model: ModelEntry, models: readonly ModelEntry[]): S {
  const { prompt, numInferenceSteps, guidanceScale, betaSchedule } = model.suggested ?? {}
  const isOwnPrompt =
    settings.prompt.trim() !== '' && !models.some(({ suggested }) => suggested?.prompt === settings.prompt)
  return {
    ...settings,
    model: model.id,
    numInferenceSteps: numInferenceSteps ?? fieldDefaults.numInferenceSteps,
    guidanceScale: guidanceScale ?? fieldDefaults.guidanceScale,
    schedulerConfig: schedulerConfigFor(settings, model, betaSchedule),
    ...(model.nativeSize && { width: model.nativeSize, height: model.nativeSize }),
    ...(prompt !== undefined && !isOwnPrompt && { prompt }),
  }
}

/** What a user changed of the schedule, with the noise schedule that a model suggests, or its own. */
function schedulerConfigFor(
  { scheduler, schedulerConfig, model: before }: Schedule,
  model: ModelEntry,
  betaSchedule: SchedulerChanges['beta_schedule'],
): SchedulerChanges {
  const { beta_schedule: _, prediction_type: type, ...rest } = schedulerConfig
  const changes = {
    ...rest,
    // What a model predicts is the model's own.
    ...(before === model.id && type && { prediction_type: type }),
    ...(betaSchedule && { beta_schedule: betaSchedule }),
  }
  return forScheduler(changes, scheduler ?? model.scheduler)
}

/** What a run cannot change of its schedule, since its scheduler does not read it. */
export function checkSchedule(settings: Schedule, found: ByRole<ModelEntry>): FieldProblem[] {
  const [model] = found.model ?? []
  const className = settings.scheduler ?? model?.scheduler
  if (!className || !isSchedulerClass(className)) return []
  const read = forScheduler(settings.schedulerConfig, className)
  const unread = Object.keys(settings.schedulerConfig).filter((key) => !(key in read))
  if (unread.length === 0) return []
  const message = `${schedulerTable[className].label} does not read ${unread.join(', ')}: leave it out, or choose another scheduler.`
  return [badInput('schedulerConfig', message)]
}

export const checkDiffusion = (settings: DiffusionSettings, found: ByRole<ModelEntry>): FieldProblem[] => [
  ...checkSides(settings, found),
  ...checkSchedule(settings, found),
  ...checkFusing(settings),
  ...partProblems(found),
]

export function checkSides(
  settings: Pick<DiffusionSettings, 'width' | 'height'>,
  found: ByRole<ModelEntry>,
): FieldProblem[] {
  const problems: FieldProblem[] = []
  const [model] = found.model ?? []
  const multiple = model?.sizeMultiple ?? 8
  for (const side of ['width', 'height'] as const)
    if (settings[side] % multiple !== 0) {
      const name = side === 'width' ? 'Width' : 'Height'
      const sizes = nearest(settings[side], multiple)
      const message = `${name} ${settings[side]} is not a multiple of ${multiple}, as ${model?.name} needs: use ${sizes}.`
      problems.push(badInput(side, message))
    }
  return problems
}

export function checkFusing({
  fuseQkv,
  attnProcessor,
}: Pick<DiffusionSettings, 'fuseQkv' | 'attnProcessor'>): FieldProblem[] {
  if (!fuseQkv || attnProcessor === null) return []
  const message = 'Fused projections are a processor of their own: switch them off, or set the attention to default.'
  return [badInput('fuseQkv', message)]
}

/** Parts and adapters of another base, told by the widths of what they take and give. */
function partProblems(found: ByRole<ModelEntry>): FieldProblem[] {
  const [model] = found.model ?? []
  const [encoder] = found.textEncoder ?? []
  const [vae] = found.vae ?? []
  const [previewVae] = found.previewVae ?? []
  const problems: FieldProblem[] = []
  const width = model?.textWidth
  const differs = ({ textWidth }: ModelEntry, from = width): boolean =>
    textWidth !== undefined && from !== undefined && textWidth !== from
  if (model && encoder && differs(encoder))
    problems.push(
      badInput(
        'textEncoder',
        `${encoder.name} reads prompts for ${baseOf(encoder)}, and ${model.name} is ${baseOf(model)}: choose another, or the model's own.`,
      ),
    )
  for (const lora of found.loras ?? [])
    if (model && differs(lora))
      problems.push(
        badInput('loras', `The LoRA ${lora.name} was made for ${baseOf(lora)}, and ${model.name} is ${baseOf(model)}.`),
      )
  for (const embedding of found.embeddings ?? [])
    if (model && differs(embedding))
      problems.push(
        badInput(
          'embeddings',
          `The embedding ${embedding.name} was made for ${baseOf(embedding)}, and ${model.name} is ${baseOf(model)}.`,
        ),
      )
  problems.push(...vaeProblems('vae', model, vae), ...vaeProblems('previewVae', model, previewVae))
  if (previewVae && previewVae.className !== 'AutoencoderTiny')
    problems.push(
      badInput('previewVae', `${previewVae.name} is no tiny autoencoder (TAESD): it is too slow for previews.`),
    )
  return problems
}

/** Why an autoencoder cannot decode what a model makes. */
function vaeProblems(
  field: 'vae' | 'previewVae',
  model: ModelEntry | undefined,
  vae: ModelEntry | undefined,
): FieldProblem[] {
  if (!model || !vae) return []
  const { latentChannels: channels = 4, latentScale: scale } = model
  if (vae.latentChannels !== undefined && vae.latentChannels !== channels)
    return [badInput(field, `${vae.name} decodes ${vae.latentChannels} channels, and ${model.name} makes ${channels}.`)]
  if (scale === undefined || vae.latentScale === undefined || Math.abs(vae.latentScale / scale - 1) <= 0.01) return []
  return [
    badInput(
      field,
      `${vae.name} is for latents scaled by ${vae.latentScale}, and those of ${model.name} are scaled by ${scale}: it was trained for another base.`,
    ),
  ]
}

/** The widths of the text states that published bases read. */
const bases: ReadonlyMap<number, string> = new Map([
  [768, 'Stable Diffusion 1.x'],
  [1024, 'Stable Diffusion 2.x'],
  [2048, 'Stable Diffusion XL'],
])
const baseOf = ({ textWidth = 0 }: ModelEntry): string => {
  const base = bases.get(textWidth)
  return base ? `${base} (text states of ${textWidth} numbers)` : `one with text states of ${textWidth} numbers`
}

function nearest(value: number, multiple: number): string {
  const below = Math.floor(value / multiple) * multiple
  return below > 0 ? `${below} or ${below + multiple}` : `${multiple}`
}
