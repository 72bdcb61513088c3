import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join, resolve } from 'node:path'
import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { defaultSettings, pipelineOf, type NameMaking, type RunRequest } from '#app/contract/pipelines.ts'
import type { Fields } from '#app/contract/pipelines/fields.ts'
import type { Makes, MakesFile } from '#app/contract/pipelines/pipeline.ts'
import { presetFor, withPreset } from '#app/contract/presets.ts'
import { withNamed } from '#app/contract/prompts/names.ts'
import type { ExportFormat } from '#app/contract/results.ts'
import { forScheduler } from '#app/contract/schedulers.ts'
import { foreignSyntax } from '#app/media/prompt-syntax.ts'
import { appVersion } from '#main/paths.ts'
import { checkRun, locateMedia } from '#main/studio/find-models.ts'
import { computeOf, type ComputeOptions } from './compute.ts'
import { findModel, scanModels } from './find-model.ts'
import {
  findFields,
  joinedSchedule,
  namedFiles,
  readFields,
  readMedia,
  refuseStrangers,
  type GivenOptions,
} from './pipeline-options.ts'
import { withKept } from './tuned.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

export type GenerateOptions = GlobalOptions &
  ComputeOptions &
  GivenOptions & {
    pipeline: NameMaking<MakesFile>
    out: string
    model?: string
    tuned?: boolean
    preset?: 'on' | 'off'
    json?: boolean
  }

/** Makes a clip, a still or an embedding and writes it to `--out`. Prints the path, or with `--json` what was made. */
export async function generate(options: GenerateOptions, tools: Tools): Promise<undefined> {
  const { engine, progress, signal } = tools
  const { makes } = pipelineOf(options.pipeline)
  refuseStrangers(options.pipeline, options)
  const format = formatOf(options.out, makes)
  checkOut(options.out, format)
  const media = await readMedia(options)
  const given = { ...(await readFields(options)), ...media.given, compute: computeOf(options) }
  if (format === 'mp4' || format === 'webm') await requireFfmpeg(tools)

  progress.update('Looking for models', 0)
  const models = await scanModels(tools, options, namedFiles(options))
  const asked = requestOf(options, given, models)
  const found = checkRun(asked, models)
  const preset = options.preset === 'off' ? undefined : presetFor(asked.settings, models)?.preset
  if (preset) progress.note(`note: ${preset.title}, as published at ${preset.source}; --preset off leaves that out.`)
  const run = await withKept(asked, found, options.tuned ?? false, progress)
  const chosen: Partial<Fields> & Pick<Fields, 'prompt'> = run.settings
  const { prompt, negativePrompt = '', prompt2 = '', negativePrompt2 = '', promptSyntax = 'plain' } = chosen
  const texts = [prompt, negativePrompt, prompt2, negativePrompt2]
  for (const note of new Set(texts.flatMap((text) => foreignSyntax(text, promptSyntax)))) progress.note(`note: ${note}`)

  const folder = mkdtempSync(join(tmpdir(), 'frameloom-'))
  const out = resolve(options.out)
  const written = format === 'webp' || format === 'safetensors' ? out : join(folder, 'picture.webp')
  try {
    const made = await engine.call(
      'run',
      {
        ...run,
        models: found,
        media: locateMedia(run, (sha256) => media.files.get(sha256)),
        out: written,
        appVersion: appVersion(),
      },
      {
        signal,
        onEvent(event) {
          if (event.type === 'stage') progress.update(event.stage, event.progress)
          if (event.type === 'note') progress.note(`note: ${event.note}`)
          if (event.type === 'step')
            progress.update(`Step ${event.step} of ${event.totalSteps}`, event.progress, event.secondsLeft)
        },
      },
    )
    if (made.kind === 'labels') throw new Error(`${run.pipeline} makes no file`)
    let { bytes } = made
    if (format !== 'webp' && format !== 'safetensors') {
      const onEvent = (event: { stage: string; progress: number }): void => progress.update(event.stage, event.progress)
      ;({ bytes } = await engine.call('exportClip', { file: written, format, out }, { signal, onEvent }))
    }
    progress.end()
    const { recipe, notes } = made
    if (options.json) console.log(JSON.stringify({ file: out, bytes, recipe, notes }, null, 2))
    else console.log(options.out)
    if (options.verbose) progress.note(`Weights read: ${(engine.status().bytesMapped / 1e6).toFixed(1)} MB.`)
    progress.note(`Seed ${run.settings.seed}, ${found.model?.[0]?.name}, ${(bytes / 1000).toFixed(0)} kB.`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the path asks for. Throws 'bad-input' for an ending that is none of ours. */
export function formatOf(out: string, makes: Makes): ExportFormat | 'safetensors' {
  const ending = extname(out).slice(1).toLowerCase()
  if (makes === 'embedding') {
    if (ending === 'safetensors') return ending
    throw new ProblemError('bad-input', `--out ${out}: an embedding is written as .safetensors.`, { field: 'out' })
  }
  if (makes === 'still') {
    if (ending === 'png' || ending === 'webp') return ending
    throw new ProblemError('bad-input', `--out ${out}: a still is written as .png or .webp, both lossless.`, {
      field: 'out',
    })
  }
  if (ending === '') return 'png'
  if (ending === 'mp4' || ending === 'webm' || ending === 'gif' || ending === 'webp') return ending
  const message = `--out ${out}: use .mp4, .webm, .gif or .webp, or the name of a folder for PNG frames.`
  throw new ProblemError('bad-input', message, { field: 'out' })
}

/** Says what would fail at the end before the work begins. */
function checkOut(out: string, format: ExportFormat | 'safetensors'): void {
  const refuse = (why: string): never => {
    throw new ProblemError('bad-input', `--out ${out}: ${why}`, { field: 'out' })
  }
  const parent = dirname(resolve(out))
  if (!existsSync(parent)) refuse(`the folder ${parent} does not exist.`)
  if (!existsSync(out)) return
  const isFolder = statSync(out).isDirectory()
  const wantsFolder = format === 'png' && extname(out) === ''
  if (!wantsFolder && isFolder) refuse('there is a folder of that name.')
  if (wantsFolder && !isFolder) refuse('there is a file of that name. Add .mp4, .webm, .gif or .webp for a clip.')
  if (wantsFolder && readdirSync(out).length > 0)
    refuse(`the folder is not empty. Choose another, such as ${basename(out)}-2.`)
}

async function requireFfmpeg({ engine, signal }: Tools): Promise<void> {
  const { checks } = await engine.call('doctor', { full: false }, { signal })
  const check = checks.find(({ name }) => name === 'ffmpeg')
  if (check?.state === 'missing')
    throw new ProblemError('unsupported', `MP4 and WebM need ffmpeg: ${check.detail}. GIF, WebP and PNG do not.`)
}

/** What was given over what suits the chosen model. Errors as of `findModel`. */
export function requestOf(
  options: GenerateOptions,
  read: Partial<Fields>,
  models: readonly LocatedModel[],
): RunRequest<GenerateOptions['pipeline']> {
  const { pipeline } = options
  const record = pipelineOf(pipeline)
  const model = findModel(models, record.models.model!.kind, options.model)
  const given = { ...read, ...findFields(options, models) }
  const stranger = Object.keys(given).find((field) => !(field in record.settings.shape)) as keyof Fields | undefined
  if (stranger) throw new ProblemError('bad-input', `${pipeline} has no setting ${stranger}.`, { field: stranger })
  const initial = { ...defaultSettings(pipeline), seed: randomInt(2 ** 32), ...given }
  const plain: Partial<Fields> = record.suited(initial, model, models)
  const preset = options.preset === 'off' ? plain : withPreset(plain, models)
  // What a preset changes in a schedule is for its own scheduler.
  const { schedulerConfig = {} } = preset
  const suited = given.scheduler
    ? { ...preset, schedulerConfig: forScheduler(schedulerConfig, given.scheduler) }
    : preset
  const loras = suited.loras ? { loras: suited.loras } : {}
  const settings = withNamed({ ...suited, ...given, ...loras, ...joinedSchedule(suited, given) }, models)
  return { pipeline, settings } as RunRequest<GenerateOptions['pipeline']>
}
