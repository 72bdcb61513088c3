import { expect, test } from 'vitest'
import { defaultFreeInit } from '#app/contract/free-init.ts'
import { defaultLongClips } from '#app/contract/long-clips.ts'
import { freeInit, longClip, prompts, splitInference } from './parse-clips.ts'

const { freenoise, looped } = defaultLongClips
test.each([
  [longClip, 'looped', looped],
  [longClip, 'off', null],
  [longClip, 'looped,length=8,stride=4,weighting=flat', { ...looped, contextLength: 8, contextStride: 4, weightingScheme: 'flat' }], // prettier-ignore
  [longClip, 'freenoise, noise=random', { ...freenoise, noiseType: 'random' }],
  [splitInference, '64,8', { spatialSplitSize: 64, temporalSplitSize: 8 }],
  [splitInference, 'off', null],
  [freeInit, '3', defaultFreeInit],
  [freeInit, 'off', null],
  [freeInit, '2,fast,method=ideal,temporal=0.5', { ...defaultFreeInit, numIters: 2, useFastSampling: true, method: 'ideal', temporalStopFrequency: 0.5 }], // prettier-ignore
] as [(text: string) => unknown, string, unknown][])('%o reads %s', (parse, text, value) => {
  expect(parse(text)).toEqual(value)
})

test.each([
  [longClip, ['', 'round', 'uniform,noise=random', 'uniform,length=0', 'uniform,length', 'freenoise,noise=blue']],
  [splitInference, ['', '64', '0,8', '64,0', '64,8,2', '64,2000']],
  [freeInit, ['', '0', '11', '3,fast=1', '3,method=box', '3,spatial=2', '3,order=0']],
] as [(text: string) => unknown, string[]][])('%o refuses what is not quite right', (parse, texts) => {
  for (const text of texts) expect(() => parse(text), text).toThrow(/must/)
})

test('one prompt stands as it is; several begin with their frames', () => {
  expect(prompts(['16: a dog'])).toEqual({ prompt: '16: a dog' })
  expect(prompts(['16: a dog', '0:a cat: black'])).toEqual({
    prompt: 'a cat: black',
    laterPrompts: [{ frame: 16, prompt: 'a dog' }],
  })
  expect(() => prompts(['0: a cat', 'a dog'])).toThrow(/must begin with its frame/)
  expect(() => prompts(['3: a cat', '9: a dog'])).toThrow(/must be for frame 0/)
})
