import { statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { pipelineNames, pipelineOf, type PipelineName } from '#app/contract/pipelines.ts'
import type { MediaRef } from '#app/contract/media-refs.ts'
import { resizeModes } from '#app/contract/pipelines/fields.ts'
import { promptSyntaxes } from '#app/contract/prompts/syntax.ts'
import { betaSchedules, schedulerKeys } from '#app/contract/schedulers.ts'
import { sha256File } from '#app/files/sha256.ts'
import { clipOptions } from './clip-options.ts'
import { option, type FieldOption, type Given } from './field-option.ts'
import { findModel } from './find-model.ts'
import { layerOptions } from './layer-options.ts'
import { mixOptions } from './mix-options.ts'
import * as parse from './parse.ts'
import * as parseClips from './parse-clips.ts'
import { sdxlOptions } from './sdxl-options.ts'
import { namedInSteering, steeringOptions } from './steering-options.ts'

const onOff = ['on', 'off']

/**
 * Which option sets which fields of the settings, in the order of the help. A field that is new to all pipelines gets a
 * row here.
 */
const fieldOptions: readonly FieldOption[] = [
  {
    option: option(
      '-p, --prompt <text>',
      'what it shows; several times for a clip that changes: "0: a cat", "16: a dog"',
    )
      .argParser((text: string, all: string[] | undefined) => [...(all ?? []), text])
      .makeOptionMandatory(),
    fields: ['prompt'],
    read: parseClips.prompts,
  },
  { option: option('--negative-prompt <text>', 'what it should not show'), fields: ['negativePrompt'] },
  ...mixOptions,
  {
    option: option('--image <file>', 'the picture that it begins with; of a clip the first frame'),
    fields: ['image'],
    media: ([image]) => ({ image: image! }),
  },
  {
    option: option('--video <file>', 'the clip that it begins with, of which the first --frames are read'),
    fields: ['video'],
    media: ([video]) => ({ video: video! }),
  },
  {
    option: option('--strength <n>', 'how much of the picture or clip is made anew, 0 to 1').argParser(
      parse.number(0, 1),
    ),
    fields: ['strength'],
  },
  {
    option: option(
      '--resize-mode <mode>',
      'how the picture is brought to the size: crop (its middle), or default (drawn to it)',
    ).choices(resizeModes),
    fields: ['resizeMode'],
  },
  ...sdxlOptions,
  {
    option: option(
      '--prompt-syntax <name>',
      'a1111: weights, BREAK, [a|b], <lora:name:1> and embedding:name mean something; plain: words alone',
    ).choices(promptSyntaxes),
    fields: ['promptSyntax'],
  },
  {
    option: option(
      '--embedding <id|file>',
      'textual inversion whose word prompts may use (can be given more than once)',
    ).argParser((text: string, all: string[] | undefined) => [...(all ?? []), text]),
    fields: ['embeddings'],
    find: (wanted: string[], models) => ({
      embeddings: wanted.map((one) => findModel(models, 'embedding', one).id),
    }),
  },
  {
    option: option('--vae <id|path>', "another autoencoder, folder or file, in the place of the model's own"),
    fields: ['vae'],
    find: (wanted: string, models) => ({ vae: findModel(models, 'vae', wanted).id }),
  },
  {
    option: option(
      '--preview-vae <id|path>',
      'a tiny autoencoder that shows each step in the studio, where the recipe is opened',
    ),
    fields: ['previewVae'],
    find: (wanted: string, models) => ({ previewVae: findModel(models, 'vae', wanted).id }),
  },
  {
    option: option('--text-encoder <id|path>', "another text encoder in the place of the model's own"),
    fields: ['textEncoder'],
    find: (wanted: string, models) => ({ textEncoder: findModel(models, 'text-encoder', wanted).id }),
  },
  {
    option: option('--motion-adapter <id>', 'motion adapter (default: the first that fits the model)'),
    fields: ['motionAdapter'],
    find: (wanted: string, models) => ({ motionAdapter: findModel(models, 'motion-adapter', wanted).id }),
  },
  {
    option: option('--size <WxH>', "width and height in pixels (default: the model's own)").argParser(parse.size),
    fields: ['width', 'height'],
    read: (size: ReturnType<typeof parse.size>) => size,
  },
  { option: option('--frames <n>', 'number of frames').argParser(parse.integer(1, 512)), fields: ['numFrames'] },
  ...clipOptions,
  {
    option: option('--steps <n>', 'number of denoising steps').argParser(parse.integer(1, 1000)),
    fields: ['numInferenceSteps'],
  },
  {
    option: option('--timesteps <list>', 'the timesteps themselves, such as 999,500, instead of --steps')
      .argParser(parse.timesteps)
      .conflicts('steps'),
    fields: ['timesteps'],
  },
  {
    option: option('--guidance <scale>', 'how closely it follows the prompt').argParser(parse.number(0, 100)),
    fields: ['guidanceScale'],
  },
  {
    option: option('--guidance-rescale <n>', 'against the glare of high guidance, 0 to 1').argParser(
      parse.number(0, 1),
    ),
    fields: ['guidanceRescale'],
  },
  {
    option: option('--seed <n>', 'the same seed gives the same result (default: random)').argParser(parse.integer(0)),
    fields: ['seed'],
  },
  {
    option: option('--scheduler <class>', "such as DDIMScheduler (default: the checkpoint's own)"),
    fields: ['scheduler'],
  },
  {
    option: option(
      '--beta-schedule <name>',
      "noise schedule (default: linear for a motion adapter on a still model, else the checkpoint's own)",
    ).choices(betaSchedules),
    fields: ['schedulerConfig'],
    read: (name: (typeof betaSchedules)[number]) => ({ schedulerConfig: { beta_schedule: name } }),
  },
  {
    option: option(
      '--scheduler-config <key=value,...>',
      `what to change in its scheduler_config.json: ${schedulerKeys.join(', ')}`,
    ).argParser(parse.schedulerConfig),
    fields: ['schedulerConfig'],
  },
  {
    option: option('--eta <n>', 'share of fresh noise in DDIM and TCD, 0 to 1').argParser(parse.number(0, 1)),
    fields: ['eta'],
  },
  {
    option: option('--freeu <s1,s2,b1,b2|preset>', 'FreeU factors, a preset such as "SD 1.5", or off').argParser(
      parse.freeU,
    ),
    fields: ['freeu'],
  },
  ...layerOptions,
  {
    option: option(
      '--vae-tiling <pixels|off>',
      'pictures are decoded in tiles of this side, such as 256: less memory, a slightly other picture',
    ).argParser(parse.tileSize),
    fields: ['vaeTiling'],
  },
  {
    option: option(
      '--lora <id[:scale]>',
      'LoRA by id, name or file, with its scale (can be given more than once)',
    ).argParser((text: string, all: Lora[] | undefined) => [...(all ?? []), parse.lora(text)]),
    fields: ['loras'],
    find: (loras: Lora[], models) => ({
      loras: loras.map(({ wanted, scale }) => ({ id: findModel(models, 'lora', wanted).id, scale })),
    }),
  },
  ...steeringOptions,
  {
    option: option(
      '--resolution-binning <on|off>',
      'make it at the nearest size that the model was trained at',
    ).choices(onOff),
    fields: ['useResolutionBinning'],
    read: (value: string) => ({ useResolutionBinning: value === 'on' }),
  },
  {
    option: option('--clean-caption <on|off>', 'take addresses, markup and advertising out of the prompts').choices(
      onOff,
    ),
    fields: ['cleanCaption'],
    read: (value: string) => ({ cleanCaption: value === 'on' }),
  },
  {
    option: option(
      '--max-sequence-length <n>',
      'tokens of a prompt that are read (default: as many as the model was trained with)',
    ).argParser(parse.integer(2, 512)),
    fields: ['maxSequenceLength'],
  },
  {
    option: option('--clip-skip <n>', 'leave out the last layers of the text encoder').argParser(parse.integer(1, 12)),
    fields: ['clipSkip'],
  },
  { option: option('--fps <n>', 'frames a second').argParser(parse.number(1, 120)), fields: ['fps'] },
  {
    option: option(
      '--sampling <how>',
      'which frames it sees: even, rate:N (every Nth), windows:N (N pieces, averaged)',
    ).argParser(parse.sampling),
    fields: ['sampling'],
  },
  { option: option('--top <n>', 'number of labels').argParser(parse.integer(1, 1000)), fields: ['topK'] },
]

type Lora = ReturnType<typeof parse.lora>

/** What commander gives for options, by their names. */
export type GivenOptions = Readonly<Record<string, unknown>>

const hasFields = (pipeline: PipelineName, { fields }: FieldOption): boolean =>
  fields.every((field) => field in pipelineOf(pipeline).settings.shape)

/** The options of all these pipelines, each once. */
export function addPipelineOptions(command: Command, names: readonly PipelineName[]): Command {
  for (const one of fieldOptions) if (names.some((name) => hasFields(name, one))) command.addOption(one.option)
  return command
}

/** The files and folders that options name where a model's id may stand: they are searched too. */
export const namedFiles = (options: GivenOptions): string[] =>
  [
    options.model,
    options.prior,
    options.motionAdapter,
    options.customDiffusion,
    options.vae,
    options.previewVae,
    options.textEncoder,
    ...((options.embedding as string[] | undefined) ?? []),
    ...((options.lora as Lora[] | undefined) ?? []),
    ...namedInSteering(options),
  ]
    .map((value) => (typeof value === 'object' ? (value as Lora).wanted : value))
    .filter((value) => typeof value === 'string')

/** Refuses, with bad-input, an option that the pipeline has no setting for. */
export function refuseStrangers(pipeline: PipelineName, options: GivenOptions): void {
  const stranger = fieldOptions.find(
    (one) => options[one.option.attributeName()] !== undefined && !hasFields(pipeline, one),
  )
  if (!stranger) return
  const others = pipelineNames.filter((name) => hasFields(name, stranger)).join(', ')
  throw new ProblemError('bad-input', `${stranger.option.long}: ${pipeline} has no such setting; ${others} have it.`, {
    field: stranger.fields[0]!,
  })
}

/** The changes of a schedule that two settings have, of which the second counts. */
export const joinedSchedule = (first: Given, second: Given): Given =>
  first.schedulerConfig && second.schedulerConfig
    ? { schedulerConfig: { ...first.schedulerConfig, ...second.schedulerConfig } }
    : {}

/** The fields that options set by themselves. Errors as of the files that are read. */
export async function readFields(options: GivenOptions): Promise<Given> {
  const given: Given = {}
  for (const { option, fields, read, find, media } of fieldOptions) {
    const parsed = options[option.attributeName()]
    if (parsed === undefined || find || media) continue
    // Commander makes an empty text of what a parser gives as null, which is what "off" means.
    const value = parsed === '' && option.parseArg ? null : parsed
    const set = read ? await read(value as never) : { [fields[0]!]: value }
    Object.assign(given, set, joinedSchedule(given, set))
  }
  return given
}

const allOf = (value: string | readonly string[]): readonly string[] => [value].flat()

/** The fields that hold pictures and clips, and where each file is by its content. Throws not-found naming one. */
export async function readMedia(options: GivenOptions): Promise<{ given: Given; files: Map<string, string> }> {
  const given: Given = {}
  const files = new Map<string, string>()
  for (const { option, fields, media, files: namedBy = allOf } of fieldOptions) {
    const value = options[option.attributeName()]
    if (value === undefined || !media) continue
    const refs: MediaRef[] = []
    for (const path of namedBy(value as never)) {
      if (!statSync(path, { throwIfNoEntry: false })?.isFile())
        throw new ProblemError('not-found', `${option.long} ${path}: there is no such file.`, { field: fields[0]! })
      const sha256 = await sha256File(path)
      files.set(sha256, resolve(path))
      refs.push({ sha256, name: basename(path) })
    }
    Object.assign(given, media(refs, value as never))
  }
  return { given, files }
}

/** The fields that name models. Errors as of `findModel`. */
export function findFields(options: GivenOptions, models: readonly LocatedModel[]): Given {
  const given: Given = {}
  for (const { option, find } of fieldOptions) {
    const value = options[option.attributeName()]
    if (value !== undefined && find) Object.assign(given, find(value as never, models))
  }
  return given
}
