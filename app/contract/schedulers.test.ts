import { describe, expect, test } from 'vitest'
import { testRecipe } from '#app/library/test-results.ts'
import { jobRequestSchema } from '#app/library/jobs.ts'
import { aModel, anAdapter } from '#renderer/store/testing.ts'
import { defaultSettings } from './pipelines.ts'
import type { Fields } from './pipelines/fields.ts'
import { problemsOf } from './pipelines/pipeline.ts'
import { textToVideo } from './pipelines/text-to-video.ts'
import { recipeSchema } from './recipe.ts'
import { forScheduler, takesEta } from './schedulers.ts'

describe('settings of before, when the noise schedule was a field of its own', () => {
  const { settings, ...recipe } = testRecipe('a red circle')
  const { schedulerConfig: _, guidanceRescale: __, ...rest }: Partial<Fields> = settings

  test.each([
    ['linear', { beta_schedule: 'linear' }],
    [null, {}],
  ])('%s', (betaSchedule, schedulerConfig) => {
    const old = { ...rest, betaSchedule }
    const now = { ...settings, schedulerConfig }
    expect(recipeSchema.parse({ ...recipe, settings: old })).toEqual({ ...recipe, settings: now })
    // A job that waited while Frameloom was brought up to date.
    expect(jobRequestSchema.parse({ pipeline: 'text-to-video', settings: old })).toMatchObject({ settings: now })
  })

  test('a key that no scheduler has is refused, not passed over', () => {
    const wrong = { ...settings, schedulerConfig: { beta_startt: 1 } }
    expect(recipeSchema.safeParse({ ...recipe, settings: wrong }).success).toBe(false)
  })
})

describe('turning to a model', () => {
  const models = [aModel({ scheduler: 'PNDMScheduler' }), anAdapter()]
  const chosen = { timestep_spacing: 'trailing', prediction_type: 'v_prediction', clip_sample: true } as const
  const settings = { ...defaultSettings('text-to-video'), prompt: 'a boat', schedulerConfig: chosen }

  test('the noise schedule of motion adapters comes, what its scheduler reads stays, what it predicts goes', () => {
    const suited = textToVideo.suited(settings, models[0]!, models)
    expect(suited.schedulerConfig).toEqual({ beta_schedule: 'linear', timestep_spacing: 'trailing' })
    expect(problemsOf(textToVideo, suited, models)).toEqual([])
  })

  test('a change that the scheduler does not read is refused in words, where the class is known', () => {
    const suited = { ...textToVideo.suited(settings, models[0]!, models), schedulerConfig: chosen }
    expect(problemsOf(textToVideo, suited, models)).toMatchObject([
      { field: 'schedulerConfig', message: expect.stringContaining('PNDM does not read clip_sample') as string },
    ])
    expect(problemsOf(textToVideo, { ...suited, scheduler: 'DDIMScheduler' }, models)).toEqual([])
  })
})

test('only DDIM and TCD read eta, as far as is known', () => {
  expect(['DDIMScheduler', 'TCDScheduler', 'EulerDiscreteScheduler', null].map(takesEta)).toEqual([true, true, false, true]) // prettier-ignore
  expect(forScheduler({ clip_sample: true, beta_start: 0.001 }, 'LMSDiscreteScheduler')).toEqual({ beta_start: 0.001 })
})
