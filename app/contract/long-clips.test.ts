import { expect, test } from 'vitest'
import { aModel, anAdapter } from '#renderer/store/testing.ts'
import { defaultFreeInit, freeInitSteps } from './free-init.ts'
import { defaultLongClips, frameWeights } from './long-clips.ts'
import { defaultSettings } from './pipelines.ts'
import { problemsOf } from './pipelines/pipeline.ts'
import { textToVideo, type TextToVideoSettings } from './pipelines/text-to-video.ts'

const models = [aModel(), anAdapter()]
const settings = textToVideo.suited({ ...defaultSettings('text-to-video'), prompt: 'a boat' }, models[0]!, models)
const problems = (change: Partial<TextToVideoSettings>) =>
  problemsOf(textToVideo, { ...settings, ...change }, models).map(({ field, message }) => [field, message])

test('more frames than the motion modules see at once need windows or FreeNoise', () => {
  expect(problems({ numFrames: 40 })).toEqual([
    ['numFrames', expect.stringMatching(/^40 frames are more than Motion can make at once: at most 24\./)],
  ])
  for (const longClip of Object.values(defaultLongClips)) expect(problems({ numFrames: 40, longClip })).toEqual([])
})

test('windows that cannot be are refused in words', () => {
  const { uniform, freenoise } = defaultLongClips
  const refused = (longClip: TextToVideoSettings['longClip'], numFrames = 40) => problems({ numFrames, longClip })
  expect(refused({ ...uniform, contextLength: 32 })).toEqual([
    ['longClip', 'Windows of 32 frames are more than the motion modules can see: at most 24.'],
  ])
  expect(refused({ ...uniform, contextLength: 8, contextStride: 12 })).toEqual([
    ['longClip', expect.stringMatching(/leave frames out: begin them every 8 or fewer/)],
  ])
  expect(refused({ ...uniform, contextLength: 15, weightingScheme: 'delayed_reverse_sawtooth' })).toEqual([
    ['longClip', expect.stringMatching(/needs windows of an even number of frames, not 15/)],
  ])
  expect(refused(freenoise, 8)).toEqual([['longClip', expect.stringMatching(/at least one window, 16 frames/)]])
  expect(refused(uniform, 8)).toEqual([])
})

test('later prompts lie in the clip, one for a frame', () => {
  const later = (...frames: number[]) =>
    problems({ numFrames: 8, laterPrompts: frames.map((frame) => ({ frame, prompt: 'a dog' })) })
  expect(later(3, 7)).toEqual([])
  expect(later(8)).toEqual([['laterPrompts', 'There is a prompt for frame 8, but the last frame is 7.']])
  expect(later(3, 3)).toEqual([['laterPrompts', 'There are two prompts for frame 3.']])
})

test('weights are those of the reference', () => {
  expect(frameWeights(4, 'flat')).toEqual([1, 1, 1, 1])
  expect(frameWeights(4, 'pyramid')).toEqual([1, 2, 2, 1])
  expect(frameWeights(5, 'pyramid')).toEqual([1, 2, 3, 2, 1])
  expect(frameWeights(6, 'delayed_reverse_sawtooth')).toEqual([0.01, 0.01, 3, 3, 2, 1])
})

test('FreeInit runs as many steps as it says', () => {
  const { stepsOf } = textToVideo
  expect(stepsOf({ ...settings, numInferenceSteps: 10, freeInit: defaultFreeInit })).toBe(30)
  expect(stepsOf({ ...settings, numInferenceSteps: 10, freeInit: { ...defaultFreeInit, useFastSampling: true } })).toBe(
    3 + 6 + 10,
  )
  expect(freeInitSteps({ ...defaultFreeInit, numIters: 2 }, 3, 0.7)).toEqual([
    { laidOut: 3, leftOut: 1 },
    { laidOut: 2, leftOut: 1 },
  ])
})
