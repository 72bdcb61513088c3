import type { Pixels } from '#app/contract/engine.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { resize } from '#app/media/resize.ts'
import { chooseFrames } from '#app/media/choose-frames.ts'
import { classify } from '../video-classification.ts'
import type { Runner } from './run.ts'
import { openClassifier } from './classifier.ts'
import { reportQuantizing } from '#app/runtime/quantize/report-quantizing.ts'
import { openSource } from './clip-source.ts'

/** Height in pixels of the frames that come back to be shown. */
const thumbnailHeight = 144
/** Of the progress bar. */
const readingShare = 0.1

/** Tells what a clip shows. */
export const runVideoClassification: Runner<'video-classification'> = async function* (
  { sessions },
  { settings, models, source },
  context,
) {
  const [model] = models.model ?? []
  if (!model || !source) throw new Error('video classification needs a model and a clip')
  yield { type: 'stage', stage: 'Reading the model', progress: 0 }
  const { parts } = await openClassifier(sessions, model.folder, model.name, {
    compute: settings.compute,
    onQuantizing: reportQuantizing(context, readingShare),
  })
  context.checkCancelled()
  yield { type: 'stage', stage: 'Reading the clip', progress: readingShare }
  const clip = await openSource(source, context.signal)
  const { windows, notes } = chooseFrames(settings.sampling, parts.numFrames, clip.frameCount)
  const allNotes = [...parts.notes, ...clip.notes, ...notes]
  const frameCount = new Set(windows.flat()).size

  const running = classify(parts, clip, windows, { topK: settings.topK, thumbnail })
  let next = await running.next()
  let work = 0
  while (!next.done) {
    context.checkCancelled()
    const stage =
      next.value.type === 'frame' ? `Frame ${next.value.read} of ${next.value.total}` : windowStage(next.value)
    yield {
      type: 'stage',
      stage,
      progress: readingShare + ((1 - readingShare) * ++work) / (frameCount + windows.length),
    }
    next = await running.next()
  }
  const { labels, thumbnails } = next.value
  return {
    kind: 'labels',
    classification: { labels, windows, frameCount: clip.frameCount, notes: allNotes, modelName: parts.modelName },
    pixels: joined(thumbnails),
  }
}

const windowStage = ({ done, total }: { done: number; total: number }): string =>
  total === 1 ? 'Looking at the clip' : `Window ${done} of ${total}`

function thumbnail(frame: RgbFrame): RgbFrame {
  const scale = Math.min(1, thumbnailHeight / frame.height)
  const [width, height] = [frame.width, frame.height].map((side) => Math.max(1, Math.round(side * scale)))
  return resize(frame, width!, height!, 'bilinear')
}

function joined(frames: readonly RgbFrame[]): Pixels {
  const { width, height } = frames[0]!
  const data = new Uint8Array(frames.length * width * height * 3)
  frames.forEach((frame, i) => data.set(frame.data, i * frame.data.length))
  return { width, height, count: frames.length, data }
}
