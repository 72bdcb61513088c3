import { expect, test } from 'vitest'
import { aModel } from '#renderer/store/testing.ts'
import { defaultSettings } from '../pipelines.ts'
import { problemsOf } from './pipeline.ts'
import { familyOf, pixart } from './pixart.ts'

const model = aModel({
  kind: 'pixart',
  className: 'PixArtSigmaPipeline',
  nativeSize: 512,
  sizeMultiple: 16,
  scheduler: 'DPMSolverMultistepScheduler',
  suggested: { numInferenceSteps: 20, guidanceScale: 4.5 },
})
const settings = pixart.suited({ ...defaultSettings('pixart'), prompt: 'a star' }, model, [model])
const problems = (change: Partial<typeof settings>) => problemsOf(pixart, { ...settings, ...change }, [model])

test('what suits a model fits it', () => {
  expect(settings).toMatchObject({ width: 512, height: 512, numInferenceSteps: 20, guidanceScale: 4.5 })
  expect(problems({})).toEqual([])
  expect([familyOf(model), pixart.stepsOf(settings), pixart.stepsOf({ ...settings, timesteps: [400] })]).toEqual([
    'sigma',
    20,
    1,
  ])
})

test('any size is made from a trained one, and without binning whole patches', () => {
  expect(problems({ width: 500 })).toEqual([])
  expect(problems({ width: 504, useResolutionBinning: false })).toMatchObject([
    { field: 'width', message: expect.stringContaining('use 496 or 512') as string },
  ])
})

test('timesteps are for DDPM, and fused projections take the place of a processor', () => {
  expect(problems({ timesteps: [400] })).toMatchObject([{ field: 'timesteps' }])
  expect(problems({ timesteps: [400], scheduler: 'DDPMScheduler' })).toEqual([])
  const both = problems({ fuseQkv: true, attnProcessor: { processor: 'AttnProcessor' } })
  expect(both).toMatchObject([{ field: 'fuseQkv' }])
})

test('a model of another kind is refused in words', () => {
  const other = aModel({ id: model.id })
  expect(problemsOf(pixart, settings, [other])[0]).toMatchObject({
    field: 'model',
    message: expect.stringContaining('not a PixArt model') as string,
  })
})
