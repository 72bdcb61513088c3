import { expect, test } from 'vitest'
import { windowKinds, type ContextWindows } from '#app/contract/long-clips.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { inContextWindows, windowsOf } from './context-windows.ts'
import type { DenoiserInputs } from './diffusion.ts'

const windows = (kind: ContextWindows['kind'], contextLength: number, contextStride: number): ContextWindows => ({
  kind,
  contextLength,
  contextStride,
  weightingScheme: 'pyramid',
})

test.each(windowKinds)('%s windows have one length and leave no frame out, at every step', (kind) => {
  for (const numFrames of [1, 5, 16, 17, 40, 128])
    for (const [length, stride] of [
      [16, 12],
      [8, 8],
      [4, 1],
    ] as const)
      for (let step = 0; step < 9; step++) {
        const all = windowsOf(windows(kind, length, stride), numFrames, step)
        expect(new Set(all.map((frames) => frames.length))).toEqual(new Set([Math.min(length, numFrames)]))
        expect(new Set(all.flat()).size).toBe(numFrames)
      }
})

test('uniform windows move from step to step, overlapped ones stay, looped ones go over the end', () => {
  const at = (kind: ContextWindows['kind'], step: number) => windowsOf(windows(kind, 4, 3), 10, step)
  expect(at('overlapped', 0)).toEqual([[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]) // prettier-ignore
  expect(at('overlapped', 1)).toEqual(at('overlapped', 0))
  expect(at('uniform', 1)).toEqual([[0, 1, 2, 3], [2, 3, 4, 5], [5, 6, 7, 8], [6, 7, 8, 9]]) // prettier-ignore
  for (let step = 0; step < 4; step++) expect(at('looped', step).filter((one) => isOverTheEnd(one, 10))).not.toEqual([])
  // A clip of one window is turned.
  expect(windowsOf(windows('looped', 4, 3), 4, 1)).toEqual([[2, 3, 0, 1]])
})

const isOverTheEnd = (frames: readonly number[], count: number): boolean =>
  frames.some((frame, i) => frame === count - 1 && frames[i + 1] === 0)

test('a frame gets the weighted mean of its windows, each with the rows of its own prompts', async () => {
  const [batch, channels, numFrames] = [2, 3, 7]
  const sample = float32(
    [batch, channels, numFrames, 1, 2],
    Array.from({ length: batch * channels * numFrames * 2 }, (_, i) => i),
  )
  const rows = Array.from({ length: batch * numFrames }, (_, row) => row)
  const inputs: DenoiserInputs = {
    sample,
    timestep: float32([1], [1]),
    encoderHiddenStates: float32([batch * numFrames, 1, 1], rows),
    freeu: null,
    step: 0,
    totalSteps: 1,
  }
  const seen: (readonly number[])[] = []
  const denoise = inContextWindows(
    (one) => {
      seen.push(one.frames!)
      const half = one.frames!.map((frame) => frame)
      expect([...one.encoderHiddenStates.data]).toEqual([...half, ...half.map((frame) => frame + numFrames)])
      // As many as windows have been seen: frames in two windows get a mean of both.
      return Promise.resolve(float32(one.sample.shape, one.sample.data.map((value) => value + seen.length))) // prettier-ignore
    },
    windows('overlapped', 4, 3),
  )
  const { data, shape } = await denoise(inputs)
  expect(seen).toEqual([[0, 1, 2, 3], [3, 4, 5, 6]]) // prettier-ignore
  expect(shape).toEqual(sample.shape)
  const added = Array.from({ length: numFrames }, (_, frame) => data[frame * 2]! - sample.data[frame * 2]!)
  // Frame 3 is the last of the first window and the first of the second: weight 1 in both.
  expect(added).toEqual([1, 1, 1, 1.5, 2, 2, 2])
})
