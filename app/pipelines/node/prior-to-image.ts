import { pipelines } from '#app/contract/pipelines.ts'
import { pictureRecipeSchema } from '#app/contract/recipe.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { fitPicture, pictureTensor } from '#app/media/fit-picture.ts'
import { reportQuantizing } from '#app/runtime/quantize/report-quantizing.ts'
import { createGenerator } from '#app/tensor/generator.ts'
import { decodeEmbeddings } from '../kandinsky-decoder.ts'
import { emptyNote, recipeOf, savePicture } from './finish-run.ts'
import { openDecoder } from './kandinsky-decoder.ts'
import { makeEmbeddings } from './make-embeddings.ts'
import { pixelsOf } from './preview.ts'
import { openPrior } from './prior.ts'
import { readStill } from './read-media.ts'
import type { Runner } from './run.ts'
import { stepEvents } from './step-events.ts'

/** Parts of the progress bar: reading, and all steps; what is left is decoding and writing. */
const readingShare = 0.06
const stepsShare = 0.84

/** Makes a still of what a prior says, or of embeddings that were kept. */
export const runPriorToImage: Runner<'prior-to-image'> = async function* (tools, request, context) {
  const { settings, models, media = {}, out } = request
  const { model: [model] = [], prior: [ofPrior] = [] } = models
  if (!model || out === undefined) throw new Error('a still needs a model and a file to write to')
  yield { type: 'stage', stage: 'Reading the models', progress: 0 }
  const { compute, width, height, strength, resizeMode } = settings
  const options = { compute, onQuantizing: reportQuantizing(context, readingShare) }
  const prior = ofPrior && (await openPrior(tools.sessions, ofPrior.folder, options))
  context.checkCancelled()
  const decoder = await openDecoder(tools.sessions, model.folder, { ...options, schedule: settings })
  context.checkCancelled()
  yield { type: 'stage', stage: 'Reading texts and pictures', progress: readingShare / 2 }
  const [picture] = media.image ?? []
  const image =
    picture && pictureTensor(fitPicture(await readStill(picture, context.signal), width, height, resizeMode))
  const generator = createGenerator(settings.seed)
  const noise = (shape: readonly number[]): Float32Array => generator.normal(shape).data

  const nextStep = stepEvents(pipelines['prior-to-image'].stepsOf(settings), readingShare, stepsShare)
  const notes: string[] = []
  const mixing = makeEmbeddings(prior, settings, {
    pictures: media.pictures ?? [],
    embeddings: media.embeddings ?? [],
    noise,
    compute,
    signal: context.signal,
  })
  let next = await mixing.next()
  for (; !next.done; next = await mixing.next()) {
    context.checkCancelled()
    if (next.value.type === 'note') notes.push(next.value.note)
    yield next.value.type === 'note' ? next.value : nextStep()
  }
  context.checkCancelled()

  const frames: RgbFrame[] = []
  const decoding = decodeEmbeddings(decoder, next.value, {
    width,
    height,
    numInferenceSteps: settings.numInferenceSteps,
    guidanceScale: settings.guidanceScale,
    noise,
    compute,
    ...(image && { init: { image, strength } }),
  })
  for await (const event of decoding) {
    context.checkCancelled()
    if (event.type === 'step') {
      const stepped = nextStep()
      yield stepped
      // docs/decisions/models.md, "Previews by the model's own decoder where that is small"
      if (decoder.isSmall)
        yield { type: 'preview', step: stepped.step, pixels: pixelsOf([await decoder.decode(event.predOriginal)]) }
    } else {
      const pixels = pixelsOf([event.image])
      frames.push(pixels)
      yield { type: 'stage', stage: 'Decoding the picture', progress: readingShare + stepsShare }
      yield { type: 'frame', index: event.index, count: 1, pixels }
    }
  }
  const note = emptyNote(frames)
  if (note !== undefined) {
    notes.push(note)
    yield { type: 'note', note }
  }
  yield { type: 'stage', stage: 'Saving the still', progress: 0.95 }
  const recipe = await recipeOf(pictureRecipeSchema, tools, request, context, settings)
  return await savePicture({ out, frames, fps: 1 }, recipe, notes, context)
}
