import { ProblemError } from '#app/contract/errors.ts'
import { linspace, roundHalfEven } from '#app/tensor/numpy.ts'

/**
 * Which frames of a clip a model sees, in order; `repeated` when the clip has too few and some are seen more than once.
 */
export type FrameSample = { readonly indices: readonly number[]; readonly repeated: boolean }

export type SampleOptions = {
  /** Frames the model wants. */
  readonly clipLen: number
  /** Frames of the clip from one sampled frame to the next. */
  readonly frameSampleRate: number
  /** Frames the clip has. */
  readonly segLen: number
  /** Where the window ends; the clip's last frame by default. */
  readonly endIndex?: number
  /** Draws the end instead: a number in [0, 1), as Math.random gives, from a seeded generator. */
  readonly random?: () => number
}

/**
 * `clipLen` frames from a window of clipLen * frameSampleRate frames that ends at `endIndex` (exclusive, but for a
 * one-frame clip). A clip shorter than the window is sampled whole, and one shorter than clipLen repeats frames.
 * Source: sample_frame_indices in the TimeSformer documentation, transformers 5.23,
 * models/timesformer/modeling_timesformer.py.
 */
export function sampleFrameIndices({ clipLen, frameSampleRate, segLen, endIndex, random }: SampleOptions): FrameSample {
  checkCounts(clipLen, segLen)
  if (!(frameSampleRate > 0))
    throw new ProblemError('bad-input', `frame sample rate ${frameSampleRate} is not above 0`, {
      field: 'frameSampleRate',
    })
  const convertedLen = Math.trunc(clipLen * frameSampleRate)
  const drawn =
    random && segLen > convertedLen ? convertedLen + Math.floor(random() * (segLen - convertedLen)) : undefined
  const end = drawn ?? endIndex ?? segLen - 1
  if (!Number.isInteger(end) || end < 0 || end >= segLen)
    throw new ProblemError('bad-input', `end index ${end} is outside the clip's ${segLen} frames`, {
      field: 'endIndex',
    })
  const start = Math.max(0, end - convertedLen)
  return sample(linspace(start, end, clipLen).map((at) => Math.trunc(clamp(at, start, Math.max(start, end - 1)))))
}

/**
 * `clipLen` frames evenly from the first to the last, rounded as numpy rounds; of a clip with fewer frames all, and the
 * last again.
 */
export function evenFrameIndices(clipLen: number, segLen: number): FrameSample {
  checkCounts(clipLen, segLen)
  if (segLen < clipLen) return sample(Array.from({ length: clipLen }, (_, i) => Math.min(i, segLen - 1)))
  return sample(linspace(0, segLen - 1, clipLen).map(roundHalfEven))
}

/**
 * Up to `windows` windows of sampleFrameIndices whose ends are evenly spread over the clip, to average a model's
 * answers over. Fewer when the clip is too short for that many different ones; at least one.
 */
export function windowIndices(
  options: Pick<SampleOptions, 'clipLen' | 'frameSampleRate' | 'segLen'> & { readonly windows: number },
): FrameSample[] {
  const { clipLen, frameSampleRate, segLen, windows } = options
  if (!Number.isInteger(windows) || windows < 1)
    throw new ProblemError('bad-input', `${windows} windows: at least 1 is needed`, { field: 'windows' })
  const convertedLen = Math.trunc(clipLen * frameSampleRate)
  if (segLen <= convertedLen) return [sampleFrameIndices({ clipLen, frameSampleRate, segLen })]
  const ends = windows === 1 ? [(convertedLen + segLen - 1) / 2] : linspace(convertedLen, segLen - 1, windows)
  return [...new Set(ends.map(roundHalfEven))].map((endIndex) =>
    sampleFrameIndices({ clipLen, frameSampleRate, segLen, endIndex }),
  )
}

function checkCounts(clipLen: number, segLen: number): void {
  if (!Number.isInteger(clipLen) || clipLen < 1)
    throw new ProblemError('bad-input', `cannot sample ${clipLen} frames: at least 1 is needed`, { field: 'clipLen' })
  if (!Number.isInteger(segLen) || segLen < 1) throw new ProblemError('bad-media', 'the clip has no frames')
}

const sample = (indices: number[]): FrameSample => ({ indices, repeated: new Set(indices).size < indices.length })

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)
