import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join, resolve } from 'node:path'
import type { AttnChoice } from '#app/contract/attn-processors.ts'
import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { ExportFormat } from '#app/contract/results.ts'
import {
  generateSettingsSchema,
  type ForwardChunking,
  type FreeU,
  type GenerateSettings,
} from '#app/contract/settings.ts'
import { appVersion } from '#main/paths.ts'
import { checkGenerate } from '#main/studio/check-generate.ts'
import { readAttention } from './attention.ts'
import { computeOf, type ComputeOptions } from './compute.ts'
import { findModel, findPair, scanModels } from './find-model.ts'
import { readProcessors } from './processors.ts'
import { withKept } from './tuned.ts'
import type { GlobalOptions, Tools } from './with-engine.ts'

export type GenerateOptions = GlobalOptions &
  ComputeOptions & {
    out: string
    prompt: string
    negativePrompt: string
    model?: string
    motionAdapter?: string
    size?: { width: number; height: number }
    frames?: number
    steps?: number
    guidance?: number
    seed?: number
    scheduler?: string
    betaSchedule?: GenerateSettings['betaSchedule']
    eta: number
    freeu?: FreeU | null
    chunking?: ForwardChunking
    attn?: string
    processors?: string
    customDiffusion?: string
    fuseQkv?: boolean
    tuned?: boolean
    lora: { wanted: string; scale: number }[]
    clipSkip?: number
    fps: number
    json?: boolean
  }

/** Makes a clip and writes it to `--out`. Prints the path, or with `--json` what was made. */
export async function generate(options: GenerateOptions, tools: Tools): Promise<undefined> {
  const { engine, progress, signal } = tools
  const format = formatOf(options.out)
  checkOut(options.out, format)
  if (format === 'mp4' || format === 'webm') await requireFfmpeg(tools)

  progress.update('Looking for models', 0)
  const attnProcessor = await attentionOf(options)
  const named = [
    options.model,
    options.motionAdapter,
    options.customDiffusion,
    ...options.lora.map(({ wanted }) => wanted),
  ]
  const models = await scanModels(tools, options, named)
  const { settings: asked, find } = settingsOf(options, models, attnProcessor)
  const found = await checkGenerate(asked, { find })
  const settings = await withKept(asked, found, options.tuned ?? false, progress)

  const folder = mkdtempSync(join(tmpdir(), 'frameloom-'))
  const clip = format === 'webp' ? resolve(options.out) : join(folder, 'clip.webp')
  try {
    const made = await engine.call(
      'textToVideo',
      { settings, ...found, out: clip, appVersion: appVersion() },
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
    let { bytes } = made
    if (format !== 'webp') {
      const onEvent = (event: { stage: string; progress: number }): void => progress.update(event.stage, event.progress)
      const out = resolve(options.out)
      ;({ bytes } = await engine.call('exportClip', { file: clip, format, out }, { signal, onEvent }))
    }
    progress.end()
    const { recipe, notes } = made
    if (options.json) console.log(JSON.stringify({ file: resolve(options.out), bytes, recipe, notes }, null, 2))
    else console.log(options.out)
    if (options.verbose) progress.note(`Weights read: ${(engine.status().bytesMapped / 1e6).toFixed(1)} MB.`)
    progress.note(`Seed ${settings.seed}, ${found.model.name}, ${(bytes / 1000).toFixed(0)} kB.`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function attentionOf({ attn, processors }: GenerateOptions): Promise<AttnChoice | null> {
  if (processors !== undefined) return readProcessors(processors)
  return attn === undefined ? null : readAttention(attn)
}

/** What the path asks for. Throws 'bad-input' for an ending that is none of ours. */
export function formatOf(out: string): ExportFormat {
  const ending = extname(out).slice(1).toLowerCase()
  if (ending === '') return 'png'
  if (ending === 'mp4' || ending === 'webm' || ending === 'gif' || ending === 'webp') return ending
  const message = `--out ${out}: use .mp4, .webm, .gif or .webp, or the name of a folder for PNG frames.`
  throw new ProblemError('bad-input', message, { field: 'out' })
}

/** Says what would fail at the end before the work begins. */
function checkOut(out: string, format: ExportFormat): void {
  const refuse = (why: string): never => {
    throw new ProblemError('bad-input', `--out ${out}: ${why}`, { field: 'out' })
  }
  const parent = dirname(resolve(out))
  if (!existsSync(parent)) refuse(`the folder ${parent} does not exist.`)
  if (!existsSync(out)) return
  const isFolder = statSync(out).isDirectory()
  if (format !== 'png' && isFolder) refuse('there is a folder of that name.')
  if (format === 'png' && !isFolder) refuse('there is a file of that name. Add .mp4, .webm, .gif or .webp for a clip.')
  if (format === 'png' && readdirSync(out).length > 0)
    refuse(`the folder is not empty. Choose another, such as ${basename(out)}-2.`)
}

async function requireFfmpeg({ engine, signal }: Tools): Promise<void> {
  const { checks } = await engine.call('doctor', { full: false }, { signal })
  const check = checks.find(({ name }) => name === 'ffmpeg')
  if (check?.state === 'missing')
    throw new ProblemError('unsupported', `MP4 and WebM need ffmpeg: ${check.detail}. GIF, WebP and PNG do not.`)
}

/** The options over what suits the chosen models. Throws 'bad-input' with the option's name for a value out of range. */
export function settingsOf(
  options: GenerateOptions,
  models: readonly LocatedModel[],
  attnProcessor: GenerateSettings['attnProcessor'] = null,
) {
  const { model, motionAdapter: adapter } = findPair(options, models)
  const suggested = { ...model.suggested, ...adapter?.suggested }
  const native = model.nativeSize ?? 512
  const parsed = generateSettingsSchema.safeParse({
    model: model.id,
    motionAdapter: adapter?.id ?? null,
    prompt: options.prompt,
    negativePrompt: options.negativePrompt,
    width: options.size?.width ?? native,
    height: options.size?.height ?? native,
    numFrames: options.frames ?? suggested.numFrames ?? 16,
    numInferenceSteps: options.steps ?? suggested.numInferenceSteps ?? 25,
    guidanceScale: options.guidance ?? suggested.guidanceScale ?? 7.5,
    seed: options.seed ?? randomInt(2 ** 32),
    scheduler: options.scheduler ?? null,
    betaSchedule: options.betaSchedule ?? suggested.betaSchedule ?? null,
    eta: options.eta,
    freeu: options.freeu ?? null,
    freeuChanges: [],
    forwardChunking: options.chunking ?? null,
    attnProcessor:
      options.customDiffusion === undefined
        ? attnProcessor
        : {
            processor: 'CustomDiffusionAttnProcessor2_0',
            weights: findModel(models, 'custom-diffusion', options.customDiffusion).id,
          },
    fuseQkv: options.fuseQkv ?? false,
    loras: options.lora.map(({ wanted, scale }) => ({ id: findModel(models, 'lora', wanted).id, scale })),
    loraChanges: [],
    clipSkip: options.clipSkip ?? null,
    fps: options.fps,
    compute: computeOf(options),
  } satisfies GenerateSettings)
  if (!parsed.success) {
    const words = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
    throw new ProblemError('bad-input', words)
  }
  const find = async (id: string, task: LocatedModel['task']): Promise<LocatedModel> => findModel(models, task, id)
  return { settings: parsed.data, find }
}
