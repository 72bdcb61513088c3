import { expect, test } from 'vitest'
import { schedulerKeys } from '#app/contract/schedulers.ts'
import { scheduleInWords, schedulerSettings, sigmaKeys, sigmaSpacing, withSigmaSpacing } from './scheduler-settings.ts'

test('each key that a run may change has a row', () => {
  expect([...schedulerSettings.map(({ key }) => key), ...sigmaKeys].sort()).toEqual([...schedulerKeys].sort())
})

test('one spacing of sigmas takes the place of another, and the checkpoint its own again', () => {
  const karras = withSigmaSpacing({ steps_offset: 1, use_beta_sigmas: true }, 'Karras')
  expect(karras).toEqual({
    steps_offset: 1,
    use_karras_sigmas: true,
    use_exponential_sigmas: false,
    use_beta_sigmas: false,
  })
  expect(sigmaSpacing(karras)).toBe('Karras')
  expect(sigmaSpacing(withSigmaSpacing(karras, 'Plain'))).toBe('Plain')
  expect(withSigmaSpacing(karras, null)).toEqual({ steps_offset: 1 })
  expect(sigmaSpacing({})).toBeNull()
})

test('a recipe tells its changes in words, a number that is in no menu as it is', () => {
  expect(scheduleInWords({ timestep_spacing: 'linspace', steps_offset: 3, use_karras_sigmas: true })).toEqual([
    ['Spacing', 'Even (linspace)'],
    ['Offset', '3'],
    ['Sigmas', 'Karras'],
  ])
})
