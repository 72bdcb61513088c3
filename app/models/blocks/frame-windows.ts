import { ProblemError } from '#app/contract/errors.ts'
import { gather, matmul, reshape, type CompileOptions, type Value } from '#app/graph/index.ts'
import { dims, float32 } from '#app/tensor/tensor.ts'

type FrameWindows = NonNullable<CompileOptions['freeNoise']>

/**
 * FreeNoise's windows (arXiv 2310.15169): `attend` sees (B, F, C) as windows of frames, (B * windows, length, C), and
 * each frame of the result is the weighted mean of those of its windows.
 * Source: diffusers/src/diffusers/models/attention.py@58eb52c FreeNoiseTransformerBlock. Throws bad-input for fewer
 * frames than a window has.
 */
export function inFrameWindows(x: Value, windows: FrameWindows, attend: (windows: Value) => Value): Value {
  const [batch, frames, channels] = dims(x, 3)
  const { contextLength: length } = windows
  if (frames < length)
    throw new ProblemError('bad-input', `FreeNoise: ${frames} frames are fewer than a window of ${length} has`, {
      field: 'context_length',
    })
  const starts = windowStarts(frames, windows)
  const places = starts.flatMap((start) => Array.from({ length }, (_, i) => start + i))
  const parts = reshape(gather(x, x.builder.integers(places), 1), [batch * starts.length, length, channels])
  const attended = reshape(attend(parts), [batch, places.length, channels])
  const means = x.builder.shared(`means ${frames} ${JSON.stringify(windows)}`, () =>
    float32([frames, places.length], meansOf(frames, starts, windows)),
  )
  return matmul(means, attended)
}

/** Windows begin every `contextStride` frames; where they do not end with the clip, one more does. */
function windowStarts(frames: number, { contextLength, contextStride }: FrameWindows): number[] {
  const starts: number[] = []
  for (let start = 0; start + contextLength <= frames; start += contextStride) starts.push(start)
  const last = frames - contextLength
  return starts.at(-1) === last ? starts : [...starts, last]
}

/** (F, windows * length): what each frame takes of each frame of each window. */
function meansOf(
  frames: number,
  starts: readonly number[],
  { contextLength: length, contextStride: stride, weights }: FrameWindows,
): Float32Array {
  const width = starts.length * length
  const values = new Float32Array(frames * width)
  const sums = new Float32Array(frames)
  let covered = 0
  for (const [window, start] of starts.entries()) {
    // Of a window that was put at the end only the frames that no other has count, and the reference divides all of
    // them by the weight of the first.
    const extra = start !== window * stride
    const from = extra ? covered - start : 0
    for (let i = from; i < length; i++) {
      values[(start + i) * width + window * length + i] = weights[i]!
      sums[start + i]! += weights[extra ? from : i]!
    }
    covered = start + length
  }
  return values.map((value, i) => value / sums[Math.floor(i / width)]!)
}
