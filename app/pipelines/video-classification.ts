import type { Classification } from '#app/contract/results.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import type { Tensor } from '#app/tensor/tensor.ts'

export type ClassifyParts = {
  readonly modelName: string
  /** Frames the model takes at once. */
  readonly numFrames: number
  /** The label of each logit. */
  readonly labels: readonly string[]
  /** Several labels may hold at once: each has a probability of its own. */
  readonly multiLabel: boolean
  /** What was not as the checkpoint should have it, in words. */
  readonly notes: readonly string[]
  /** A frame at the size that the model sees. */
  readonly prepare: (frame: RgbFrame) => RgbFrame
  /** Prepared frames -> pixel_values (1, F, 3, H, W). */
  readonly pixelValues: (pictures: readonly RgbFrame[]) => Tensor<'float32'>
  /** pixel_values (1, F, 3, H, W) -> logits (rows, labels); rows are averaged. */
  readonly forward: (pixelValues: Tensor<'float32'>) => Promise<Tensor<'float32'>>
}

/** A clip whose frames are read one after the other. */
export type ClipReader = {
  readonly frameCount: number
  /** What is wrong with it though it can be read, in words. */
  readonly notes: readonly string[]
  /** The frames of rising indices. */
  readonly frames: (indices: readonly number[]) => AsyncIterable<RgbFrame>
}

export type ClassifyStep =
  | { readonly type: 'frame'; readonly read: number; readonly total: number }
  | { readonly type: 'window'; readonly done: number; readonly total: number }

/**
 * Labels of a clip: frames, preprocessing, model, probabilities averaged over the windows. Yields after each frame and
 * each window; returns the `topK` most probable labels, and the frames that were used as `thumbnail` makes them, window
 * after window. The clip is read once, and of its own frames only one is in memory: a window is classified as soon as
 * its last frame was read.
 */
export async function* classify(
  parts: ClassifyParts,
  clip: ClipReader,
  windows: readonly (readonly number[])[],
  { topK, thumbnail }: { topK: number; thumbnail: (frame: RgbFrame) => RgbFrame },
): AsyncGenerator<ClassifyStep, { labels: Classification['labels']; thumbnails: RgbFrame[] }> {
  const rising = [...new Set(windows.flat())].sort((a, b) => a - b)
  const pictures = new Map<number, RgbFrame>()
  const small = new Map<number, RgbFrame>()
  const sums = new Float64Array(parts.labels.length)
  let waiting = windows
  for await (const frame of clip.frames(rising)) {
    const index = rising[small.size]!
    pictures.set(index, parts.prepare(frame))
    small.set(index, thumbnail(frame))
    yield { type: 'frame', read: small.size, total: rising.length }
    const complete = waiting.filter((indices) => indices.every((wanted) => wanted <= index))
    waiting = waiting.filter((indices) => !complete.includes(indices))
    for (const [i, indices] of complete.entries()) {
      const logits = await parts.forward(parts.pixelValues(indices.map((wanted) => pictures.get(wanted)!)))
      for (const [label, probability] of probabilities(logits, parts.multiLabel).entries())
        sums[label]! += probability / windows.length
      yield { type: 'window', done: windows.length - waiting.length - complete.length + i + 1, total: windows.length }
    }
    const needed = new Set(waiting.flat())
    for (const held of pictures.keys()) if (!needed.has(held)) pictures.delete(held)
  }
  const labels = parts.labels
    .map((label, i) => ({ label, probability: sums[i]! }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, topK)
  return { labels, thumbnails: windows.flat().map((index) => small.get(index)!) }
}

/** Probabilities of each label, averaged over the rows of the logits. */
function probabilities({ shape, data }: Tensor<'float32'>, multiLabel: boolean): Float64Array {
  const [rows, columns] = shape as [number, number]
  const mean = new Float64Array(columns)
  for (let row = 0; row < rows; row++) {
    const logits = data.subarray(row * columns, (row + 1) * columns)
    const highest = Math.max(...logits)
    const weights = Array.from(logits, (logit) => (multiLabel ? 1 / (1 + Math.exp(-logit)) : Math.exp(logit - highest)))
    const total = multiLabel ? 1 : weights.reduce((sum, weight) => sum + weight, 0)
    weights.forEach((weight, i) => (mean[i]! += weight / total / rows))
  }
  return mean
}
