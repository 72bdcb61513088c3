import { expect, test } from 'vitest'
import { ProblemError } from '#app/contract/errors.ts'
import { forgetFailures, framesOf, loadFrames, type FrameSet } from './frames.ts'

const some: FrameSet = { width: 1, height: 1, images: [] }
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

test('what could not be loaded stays so until its failure is forgotten, and is then tried again', async () => {
  let away = true
  let tries = 0
  const load = async (): Promise<FrameSet> => {
    tries++
    if (away) throw new ProblemError('internal', 'The studio has lost its host.')
    return some
  }
  for (let i = 0; i < 3; i++) {
    loadFrames('clip:a', load)
    await settle()
  }
  expect([tries, framesOf('clip:a')]).toEqual([1, undefined])

  away = false
  forgetFailures('clip:b')
  loadFrames('clip:a', load)
  await settle()
  expect(tries).toBe(1)

  forgetFailures()
  loadFrames('clip:a', load)
  await settle()
  expect([tries, framesOf('clip:a')]).toEqual([2, some])

  forgetFailures()
  expect(framesOf('clip:a')).toBe(some)
})
