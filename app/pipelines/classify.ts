import { ProblemError } from '#app/contract/errors.ts'
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
  readonly preprocess: (frames: readonly RgbFrame[]) => Tensor<'float32'>
  /** pixel_values (1, F, 3, H, W) -> logits (rows, labels); rows are averaged. */
  readonly forward: (pixelValues: Tensor<'float32'>) => Promise<Tensor<'float32'>>
}

/** A clip as frames to be asked for by index. */
export type ClipReader = {
  readonly frameCount: number
  readonly readFrames: (indices: readonly number[]) => Promise<readonly RgbFrame[]>
}

export type ClassifyStep = { readonly type: 'window'; readonly done: number; readonly total: number }

/**
 * Labels of a clip: frames, preprocessing, model, probabilities averaged over the windows. Yields after each window and returns the
 * `topK` most probable labels with the frames that were used.
 */
export async function* classify(
  parts: ClassifyParts,
  clip: ClipReader,
  windows: readonly (readonly number[])[],
  topK: number,
): AsyncGenerator<ClassifyStep, { labels: Classification['labels']; frames: RgbFrame[] }> {
  const sums = new Float64Array(parts.labels.length)
  const used: RgbFrame[] = []
  for (const [i, indices] of windows.entries()) {
    const frames = await clip.readFrames(indices)
    used.push(...frames)
    const logits = await parts.forward(parts.preprocess(frames))
    for (const [label, probability] of probabilities(logits, parts.multiLabel).entries())
      sums[label]! += probability / windows.length
    yield { type: 'window', done: i + 1, total: windows.length }
  }
  const labels = parts.labels
    .map((label, i) => ({ label, probability: sums[i]! }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, topK)
  return { labels, frames: used }
}

/** Probabilities of each label, averaged over the rows of the logits. Throws not-finite. */
function probabilities({ shape, data }: Tensor<'float32'>, multiLabel: boolean): Float64Array {
  const [rows, columns] = shape as [number, number]
  if (!data.every(Number.isFinite))
    throw new ProblemError('not-finite', 'The classifier gave NaN or infinity; check the checkpoint.')
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
