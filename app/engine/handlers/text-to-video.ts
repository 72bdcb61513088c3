import { withWeights } from '#app/contract/attn-processors.ts'
import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { recipeSchema, type Recipe } from '#app/contract/recipe.ts'
import type { GenerateSettings } from '#app/contract/settings.ts'
import { textToVideo } from '#app/pipelines/text-to-video.ts'
import { encodeClip } from '#app/media/node/encode.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { isSchedulerClass, schedulerTable } from '#app/contract/schedulers.ts'
import { stat } from 'node:fs/promises'
import type { Handler } from '../call.ts'
import { liveControls } from '../live-controls.ts'
import type { PipelineLoras } from '#app/loaded/pipeline-loras.ts'
import { openPreview, pixelsOf } from '#app/pipelines/node/preview.ts'
import { openTextToVideo } from '#app/pipelines/node/text-to-video.ts'
import { reportQuantizing } from '../report-quantizing.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import type { WeightHashes } from '#app/catalog/weight-hashes.ts'

/** Parts of the progress bar: reading, denoising, decoding, writing. */
const readingShare = 0.04
const denoisingShare = 0.84
const decodingShare = 0.1

/** Makes a clip. Loading, steps and frames are events; FreeU and the LoRAs' scales are read anew at each step. */
export const textToVideoHandler = (sessions: SessionCache, hashes: WeightHashes): Handler<'textToVideo'> =>
  async function* ({ settings, model, motionAdapter, loras, customDiffusion, out, appVersion }, context) {
    checkScheduler(settings.scheduler)
    yield { type: 'stage', stage: 'Reading the model', progress: 0 }
    const opened = await openTextToVideo(sessions, model.folder, motionAdapter?.folder ?? null, {
      ...settings,
      attnProcessor: settings.attnProcessor && withWeights(settings.attnProcessor, fileOf(customDiffusion)),
      ...(settings.betaSchedule && { schedulerConfig: { beta_schedule: settings.betaSchedule } }),
      tokenizerFolder: model.tokenizerFolder,
      onQuantizing: reportQuantizing(context, readingShare),
    })
    const notes = await loadLoras(opened.loras, loras, settings.loras)
    for (const note of notes) yield { type: 'note', note }
    context.checkCancelled()
    const preview = await openPreview(model.folder, opened)
    const live = liveControls(settings, context.controls)
    const freeuAt = (step: number) => {
      const { freeu, loraScales } = live.at(step)
      // The prompt is encoded by then: only the denoiser still takes notice.
      for (const [id, scale] of Object.entries(loraScales)) opened.loras.setScale(id, scale)
      return freeu
    }
    yield { type: 'stage', stage: 'Reading the prompt', progress: readingShare / 2 }

    const frames: RgbFrame[] = []
    let started = performance.now()
    for await (const event of textToVideo(opened.parts, settings, freeuAt)) {
      context.checkCancelled()
      switch (event.type) {
        case 'note':
          notes.push(event.note)
          yield event
          break
        case 'encoded':
          yield { type: 'stage', stage: 'Preparing the first step', progress: readingShare }
          started = performance.now()
          break
        case 'step': {
          const { step, totalSteps, predOriginal } = event
          const done = step + 1
          const secondsLeft = ((performance.now() - started) / 1000 / done) * (totalSteps - done)
          yield {
            type: 'step',
            step: done,
            totalSteps,
            progress: readingShare + (denoisingShare * done) / totalSteps,
            secondsLeft,
            ...live.current(),
          }
          yield { type: 'preview', step: done, pixels: await preview(predOriginal) }
          break
        }
        case 'frame': {
          const pixels = pixelsOf([event.image])
          frames.push(pixels)
          const progress = readingShare + denoisingShare + (decodingShare * frames.length) / settings.numFrames
          yield { type: 'stage', stage: `Decoding frame ${frames.length} of ${settings.numFrames}`, progress }
          yield { type: 'frame', index: event.index, count: settings.numFrames, pixels }
        }
      }
    }

    yield { type: 'stage', stage: 'Saving the clip', progress: readingShare + denoisingShare + decodingShare }
    const recipe: Recipe = recipeSchema.parse({
      frameloom: 1,
      appVersion,
      pipeline: 'text-to-video',
      settings: { ...settings, ...live.changes() },
      model: await hashes.referenceOf(model, context.signal),
      motionAdapter: motionAdapter && (await hashes.referenceOf(motionAdapter, context.signal)),
      loras: await inOrder(loras, (lora) => hashes.referenceOf(lora, context.signal)),
      customDiffusion: await inOrder(customDiffusion, (one) => hashes.referenceOf(one, context.signal)),
    } satisfies Recipe)
    await encodeClip({
      clip: { frames, fps: settings.fps },
      format: 'webp',
      out,
      recipe: JSON.stringify(recipe),
      signal: context.signal,
    })
    return { recipe, bytes: (await stat(out)).size, notes }
  }

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

/** Loads the LoRAs with their scales. Returns what the user should know: which of their layers this model has no place for. */
async function loadLoras(
  into: PipelineLoras,
  loras: readonly LocatedModel[],
  choices: GenerateSettings['loras'],
): Promise<string[]> {
  const notes = await inOrder(loras, async ({ id, name, folder }, i) => {
    const { applied, unused } = await into.load(folder, { name: id, scale: choices[i]?.scale ?? 1 })
    const all = Object.values(applied).reduce((sum, count) => sum + count, unused.length)
    return unused.length === 0 ? '' : `${unused.length} of the ${all} layers of the LoRA ${name} are not in this model.`
  })
  return notes.filter((note) => note !== '')
}

/** One after the other: they read files, and a failure is that of the first. */
async function inOrder<T, U>(items: readonly T[], each: (item: T, index: number) => Promise<U>): Promise<U[]> {
  const done: U[] = []
  for (const [i, item] of items.entries()) done.push(await each(item, i))
  return done
}
