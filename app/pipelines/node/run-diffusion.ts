import { withWeights } from '#app/contract/attn-processors.ts'
import type { LocatedModel, RunEvent, RunResult } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { openVae } from '#app/checkpoints/open-part.ts'
import { pipelineOf, pipelines, type NameMaking, type SettingsOf } from '#app/contract/pipelines.ts'
import { pictureRecipeSchema } from '#app/contract/recipe.ts'
import type { DiffusionSettings } from '#app/contract/pipelines/stable-diffusion.ts'
import { isSchedulerClass, schedulerTable } from '#app/contract/schedulers.ts'
import type { PipelineLoras } from '#app/loaded/pipeline-loras.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { reportQuantizing } from '#app/runtime/quantize/report-quantizing.ts'
import { during, type DiffusionParts, type DiffusionStep, type FreeUAt } from '../diffusion.ts'
import { liveControls } from '../live-controls.ts'
import { openAutoencoder } from './autoencoder.ts'
import { emptyNote, recipeOf, savePicture } from './finish-run.ts'
import { inOrder } from './in-order.ts'
import { openPreview, pixelsOf } from './preview.ts'
import type { RunContext, RunOf, RunTools } from './run.ts'
import type { DiffusionOptions, Opened } from './stable-diffusion.ts'

/** Parts of the progress bar: reading, denoising, decoding, writing. */
const readingShare = 0.04
const denoisingShare = 0.84
const decodingShare = 0.1

/** The pipelines of latent diffusion. */
type Name = {
  [P in NameMaking<'clip' | 'still'>]: SettingsOf<P> extends Chosen ? P : never
}[NameMaking<'clip' | 'still'>]

/** What is read of the settings here; not every pipeline has all of them. */
type Chosen = Pick<
  DiffusionSettings,
  'scheduler' | 'schedulerConfig' | 'eta' | 'attnProcessor' | 'fuseQkv' | 'loras' | 'loraChanges' | 'compute'
> &
  Partial<Pick<DiffusionSettings, 'freeu' | 'freeuChanges' | 'forwardChunking' | 'vaeTiling'>>

type AnyParts = Pick<DiffusionParts, 'scalingFactor' | 'createScheduler'>

/** What differs between the pipelines of latent diffusion. */
export type DiffusionRun<Parts extends AnyParts> = {
  /** How many pictures come of it, and how many of them are shown in a second. */
  readonly frames: number
  readonly fps: number
  readonly open: (path: string, options: DiffusionOptions) => Promise<Opened<Parts>>
  readonly run: (parts: Parts, freeuAt: FreeUAt) => AsyncGenerator<DiffusionStep, void>
}

/**
 * Makes a clip or a still. Loading, steps and frames are events; FreeU and the LoRAs' scales are read anew at each
 * step.
 */
export async function* runDiffusion<P extends Name, Parts extends AnyParts>(
  tools: RunTools,
  request: RunOf<P>,
  context: RunContext,
  { frames: frameCount, fps, open, run }: DiffusionRun<Parts>,
): AsyncGenerator<RunEvent, RunResult> {
  const { pipeline, settings, models, out } = request
  if (out === undefined) throw new Error(`${pipeline} needs a file to write to`)
  const { model: [model] = [], vae: [vae] = [], textEncoder: [textEncoder] = [] } = models
  const { loras = [], embeddings = [], customDiffusion = [], previewVae: [previewVae] = [] } = models
  if (!model) throw new Error(`${pipeline} needs a model`)
  const chosen: Chosen = settings
  const { freeu = null, freeuChanges = [], forwardChunking = null } = chosen
  checkScheduler(chosen.scheduler)
  yield { type: 'stage', stage: 'Reading the model', progress: 0 }
  const opened = await open(model.folder, {
    ...chosen,
    forwardChunking,
    attnProcessor: chosen.attnProcessor && withWeights(chosen.attnProcessor, fileOf(customDiffusion)),
    embeddings: embeddings.map(({ folder }) => ({ file: folder })),
    vae: vae?.folder,
    textEncoder: textEncoder?.folder,
    tokenizerFolder: model.tokenizerFolder,
    onQuantizing: reportQuantizing(context, readingShare),
  })
  // A schedule that cannot be is told of before anything is computed.
  // Rounds together may be more steps than one of them lays out.
  opened.parts.createScheduler(Math.min(settings.numInferenceSteps, pipelineOf(pipeline).stepsOf(settings)))
  const notes = await loadLoras(opened.loras, loras, chosen.loras)
  for (const note of notes) yield { type: 'note', note }
  context.checkCancelled()
  const tiny =
    previewVae &&
    openAutoencoder(await openVae(previewVae.folder), tools.sessions, { ...tools.sessions.compute, ...chosen.compute })
  const preview = await openPreview(model.folder, opened, tiny)
  const live = liveControls({ ...chosen, freeu, freeuChanges }, context.controls)
  const freeuAt = (step: number) => {
    const { freeu, loraScales } = live.at(step)
    // The prompt is encoded by then: only the denoiser still takes notice.
    for (const [id, scale] of Object.entries(loraScales)) opened.loras.setScale(id, scale)
    return freeu
  }
  yield { type: 'stage', stage: 'Reading the prompt', progress: readingShare / 2 }

  const frames: RgbFrame[] = []
  let started = performance.now()
  let stepStarted = started
  for await (const event of run(opened.parts, freeuAt)) {
    context.checkCancelled()
    switch (event.type) {
      case 'note':
        notes.push(event.note)
        yield event
        break
      case 'encoded':
        yield { type: 'stage', stage: 'Preparing the first step', progress: readingShare }
        started = performance.now()
        stepStarted = started
        break
      case 'step': {
        const { step, totalSteps, predOriginal } = event
        const done = step + 1
        const stepMs = performance.now() - stepStarted
        const secondsLeft = ((performance.now() - started) / 1000 / done) * (totalSteps - done)
        yield {
          type: 'step',
          step: done,
          totalSteps,
          progress: readingShare + (denoisingShare * done) / totalSteps,
          secondsLeft,
          ...live.current(),
        }
        const pixels = await during(`The preview of step ${done}`, preview(predOriginal, stepMs))
        if (pixels) yield { type: 'preview', step: done, pixels }
        stepStarted = performance.now()
        break
      }
      case 'frame': {
        const pixels = pixelsOf([event.image])
        frames.push(pixels)
        const progress = readingShare + denoisingShare + (decodingShare * frames.length) / frameCount
        yield { type: 'stage', stage: decodingStage(frames.length, frameCount), progress }
        yield { type: 'frame', index: event.index, count: frameCount, pixels }
      }
    }
  }
  const note = emptyNote(frames)
  if (note !== undefined) {
    notes.push(note)
    yield { type: 'note', note }
  }

  yield {
    type: 'stage',
    stage: `Saving the ${pipelines[pipeline].makes}`,
    progress: readingShare + denoisingShare + decodingShare,
  }
  const recipe = await recipeOf(pictureRecipeSchema, tools, request, context, { ...settings, ...live.changes() })
  return await savePicture({ out, frames, fps }, recipe, notes, context)
}

const decodingStage = (done: number, of: number): string =>
  of === 1 ? 'Decoding the picture' : `Decoding frame ${done} of ${of}`

/** A scheduler that the user chose is theirs to correct; one that the checkpoint names is the checkpoint's fault. */
function checkScheduler(chosen: string | null): void {
  if (chosen === null || isSchedulerClass(chosen)) return
  const known = Object.keys(schedulerTable).join(', ')
  throw new ProblemError('bad-input', `There is no scheduler ${chosen}. There are: ${known}.`, { field: 'scheduler' })
}

/** Settings name models by id; only the host knows where they are. */
const fileOf =
  (models: readonly LocatedModel[]) =>
  (id: string): string => {
    const found = models.find((model) => model.id === id)
    if (!found) throw new ProblemError('bad-input', `There is no model ${id}.`, { field: 'attnProcessor' })
    return found.folder
  }

/**
 * Loads the LoRAs with their scales. Returns what the user should know: which of their layers this model has no place
 * for.
 */
async function loadLoras(
  into: PipelineLoras,
  loras: readonly LocatedModel[],
  choices: DiffusionSettings['loras'],
): Promise<string[]> {
  const notes = await inOrder(loras, async ({ id, name, folder }, i) => {
    const { applied, unused } = await into.load(folder, { name: id, scale: choices[i]?.scale ?? 1 })
    const all = Object.values(applied).reduce((sum, count) => sum + count, unused.length)
    return unused.length === 0 ? '' : `${unused.length} of the ${all} layers of the LoRA ${name} are not in this model.`
  })
  return notes.filter((note) => note !== '')
}
