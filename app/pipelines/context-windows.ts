import { frameWeights, type ContextWindows } from '#app/contract/long-clips.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import type { DiffusionParts } from './diffusion.ts'

type Floats = Tensor<'float32'>

/**
 * A denoiser of clips that shows the model one window of frames after the other, and gives each frame the weighted mean
 * of its windows. The memory of a prediction is that of one window.
 */
export function inContextWindows(
  denoise: DiffusionParts['denoise'],
  windows: ContextWindows,
): DiffusionParts['denoise'] {
  return async (inputs) => {
    const [batch, channels, numFrames, height, width] = inputs.sample.shape as [number, number, number, number, number]
    const sums = new Float32Array(inputs.sample.data.length)
    const weightSums = new Float32Array(numFrames)
    const plane = height * width
    for (const frames of windowsOf(windows, numFrames, inputs.step)) {
      const predicted = await denoise({
        ...inputs,
        sample: pickFrames(inputs.sample, frames),
        encoderHiddenStates: pickRows(inputs.encoderHiddenStates, batch, numFrames, frames),
        frames,
      })
      const weights = frameWeights(frames.length, windows.weightingScheme)
      frames.forEach((frame, i) => {
        weightSums[frame]! += weights[i]!
        for (let row = 0; row < batch * channels; row++) {
          const [from, to] = [(row * frames.length + i) * plane, (row * numFrames + frame) * plane]
          for (let at = 0; at < plane; at++) sums[to + at]! += weights[i]! * predicted.data[from + at]!
        }
      })
    }
    return float32(
      inputs.sample.shape,
      sums.map((sum, i) => sum / weightSums[Math.floor(i / plane) % numFrames]!),
    )
  }
}

/**
 * The frames of each window at a step, from 0. Uniform and looped ones begin elsewhere at each step, so that no two
 * frames are always on the two sides of an end; looped ones go on from the last frame to the first, and a clip of one
 * window is turned. After the context schedulers of animatediff-cli (src/animatediff/pipelines/context.py).
 */
export function windowsOf(
  { kind, contextLength, contextStride: stride }: Pick<ContextWindows, 'kind' | 'contextLength' | 'contextStride'>,
  numFrames: number,
  step: number,
): number[][] {
  const length = Math.min(contextLength, numFrames)
  const last = numFrames - length
  const at = (start: number): number[] => Array.from({ length }, (_, i) => (start + i) % numFrames)
  if (kind === 'looped') {
    const turned = Math.round(numFrames * halving(step))
    return Array.from({ length: last === 0 ? 1 : Math.ceil(numFrames / stride) }, (_, i) => at(turned + i * stride))
  }
  const starts = new Set([0])
  for (let start = kind === 'uniform' ? Math.round(stride * halving(step)) : 0; start < last; start += stride)
    starts.add(start)
  return [...starts.add(last)].map(at)
}

/** Van der Corput's sequence in base 2, 0, 1/2, 1/4, 3/4, 1/8 ...: each place is far from those before. */
function halving(step: number): number {
  let value = 0
  for (let [rest, part] = [step, 0.5]; rest > 0; rest >>= 1, part /= 2) value += (rest & 1) * part
  return value
}

/** Those frames of (B, C, F, h, w). */
export function pickFrames({ shape, data }: Floats, frames: readonly number[]): Floats {
  const [batch, channels, numFrames, height, width] = shape as [number, number, number, number, number]
  const plane = height * width
  const picked = new Float32Array(batch * channels * frames.length * plane)
  for (let row = 0; row < batch * channels; row++)
    frames.forEach((frame, i) => {
      const from = (row * numFrames + frame) * plane
      picked.set(data.subarray(from, from + plane), (row * frames.length + i) * plane)
    })
  return float32([batch, channels, frames.length, height, width], picked)
}

/** Of a context with one row a frame the rows of those frames, of each half; of one row a clip, all. */
function pickRows(context: Floats, batch: number, numFrames: number, frames: readonly number[]): Floats {
  const [rows, length, dim] = context.shape as [number, number, number]
  if (rows === batch) return context
  const size = length * dim
  const picked = new Float32Array(batch * frames.length * size)
  for (let half = 0; half < batch; half++)
    frames.forEach((frame, i) => {
      const from = (half * numFrames + frame) * size
      picked.set(context.data.subarray(from, from + size), (half * frames.length + i) * size)
    })
  return float32([batch * frames.length, length, dim], picked)
}
