import type { FrameSampling } from '#app/contract/settings.ts'
import { evenFrameIndices, sampleFrameIndices, windowIndices } from './sample-frames.ts'

/** Frames between two that a window takes, where windows are asked for without a rate. */
const windowSampleRate = 4

/** The frames to look at: one list for each window. `notes` says so when frames had to be repeated. */
export function chooseFrames(
  sampling: FrameSampling,
  clipLen: number,
  segLen: number,
): { windows: number[][]; notes: string[] } {
  const samples = (() => {
    switch (sampling.kind) {
      case 'even':
        return [evenFrameIndices(clipLen, segLen)]
      case 'rate':
        return [sampleFrameIndices({ clipLen, frameSampleRate: sampling.frameSampleRate, segLen })]
      case 'windows':
        return windowIndices({ clipLen, frameSampleRate: windowSampleRate, segLen, windows: sampling.count })
    }
  })()
  const notes: string[] = []
  if (samples.some(({ repeated }) => repeated))
    notes.push(
      `The clip has ${segLen} ${segLen === 1 ? 'frame' : 'frames'} where the model wants ${clipLen}; some frames were used more than once.`,
    )
  if (sampling.kind === 'windows' && samples.length < sampling.count)
    notes.push(
      `The clip is too short for ${sampling.count} different windows; ${samples.length} ${samples.length === 1 ? 'was' : 'were'} used.`,
    )
  return { windows: samples.map(({ indices }) => [...indices]), notes }
}
