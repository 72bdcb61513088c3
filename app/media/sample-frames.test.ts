import { describe, expect, it } from 'vitest'
import { evenFrameIndices, sampleFrameIndices, windowIndices } from './sample-frames.ts'

describe('sampleFrameIndices', () => {
  const ask = { clipLen: 8, frameSampleRate: 4 }

  // The first two are the reference cases' own; the others come from numpy's linspace, clip and astype.
  for (const [segLen, more, indices] of [
    [48, {}, [15, 19, 24, 28, 33, 37, 42, 46]],
    [3, {}, [0, 0, 0, 0, 1, 1, 1, 1]],
    [300, { endIndex: 120 }, [88, 92, 97, 101, 106, 110, 115, 119]],
    [32, {}, [0, 4, 8, 13, 17, 22, 26, 30]],
    [33, {}, [0, 4, 9, 13, 18, 22, 27, 31]],
    [1, {}, [0, 0, 0, 0, 0, 0, 0, 0]],
    [2, {}, [0, 0, 0, 0, 0, 0, 0, 0]],
  ] as const)
    it(`${segLen} frames ${JSON.stringify(more)}`, () =>
      expect(sampleFrameIndices({ ...ask, segLen, ...more }).indices).toEqual(indices))

  it('says when frames are repeated', () => {
    expect(sampleFrameIndices({ ...ask, segLen: 48 }).repeated).toBe(false)
    expect(sampleFrameIndices({ ...ask, segLen: 9 }).repeated).toBe(false)
    expect(sampleFrameIndices({ ...ask, segLen: 8 }).repeated).toBe(true)
  })

  it('draws the end between the window and the end of the clip', () => {
    const at = (random: number) => sampleFrameIndices({ ...ask, segLen: 100, random: () => random }).indices
    expect(at(0)[0]).toBe(0)
    expect(at(0.9999)).toEqual(sampleFrameIndices({ ...ask, segLen: 100 }).indices)
    expect(sampleFrameIndices({ ...ask, segLen: 10, random: () => 0.5 }).indices.at(-1)).toBe(8)
  })

  it('names what cannot be', () => {
    expect(() => sampleFrameIndices({ ...ask, segLen: 0 })).toThrow('the clip has no frames')
    expect(() => sampleFrameIndices({ ...ask, clipLen: 0, segLen: 9 })).toThrow('cannot sample 0 frames')
    expect(() => sampleFrameIndices({ ...ask, segLen: 9, endIndex: 9 })).toThrow('end index 9')
    expect(() => sampleFrameIndices({ ...ask, segLen: 9, frameSampleRate: Number.NaN })).toThrow('sample rate')
  })
})

describe('evenFrameIndices', () => {
  for (const [clipLen, segLen, indices] of [
    [8, 8, [0, 1, 2, 3, 4, 5, 6, 7]],
    [8, 16, [0, 2, 4, 6, 9, 11, 13, 15]],
    [3, 6, [0, 2, 5]], // 2.5 rounds to even, as numpy has it
    [3, 4, [0, 2, 3]],
    [8, 3, [0, 1, 2, 2, 2, 2, 2, 2]], // too few: the last again
    [1, 9, [0]],
  ] as const)
    it(`${clipLen} of ${segLen}`, () => expect(evenFrameIndices(clipLen, segLen).indices).toEqual(indices))
})

describe('windowIndices', () => {
  it('spreads windows from the first frames to the last', () => {
    const windows = windowIndices({ clipLen: 8, frameSampleRate: 4, segLen: 100, windows: 3 })
    expect(windows.map(({ indices }) => [indices[0], indices[7]])).toEqual([
      [0, 31],
      [34, 65],
      [67, 98],
    ])
  })

  it('has one for a short clip, and no window twice', () => {
    expect(windowIndices({ clipLen: 8, frameSampleRate: 4, segLen: 20, windows: 5 })).toHaveLength(1)
    expect(windowIndices({ clipLen: 8, frameSampleRate: 4, segLen: 34, windows: 5 })).toHaveLength(2)
  })
})
