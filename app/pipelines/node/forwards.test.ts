import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { goldens, temporaryFolder } from '#app/checkpoints/testing.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { bundledModelsDir } from '#main/paths.ts'
import type { DiffusionParts, DiffusionStep } from '../diffusion.ts'
import { textToImage } from '../text-to-image.ts'
import { textToVideo } from '../text-to-video.ts'
import { openTextToImage } from './text-to-image.ts'
import { openTextToVideo } from './text-to-video.ts'

const options = { forwardChunking: null, scheduler: null, eta: 0 }
const request = { negativePrompt: '', numInferenceSteps: 3, seed: 1, clipSkip: null }

/** The rows that each forward of the denoiser is given, over a whole run. */
async function rowsOf<P extends DiffusionParts>(
  parts: P,
  run: (parts: P) => AsyncGenerator<DiffusionStep, void>,
): Promise<number[]> {
  const rows: number[] = []
  const counted = {
    ...parts,
    denoise: (inputs: Parameters<P['denoise']>[0]) => {
      rows.push(inputs.sample.shape[0]!)
      return parts.denoise(inputs)
    },
  }
  for await (const event of run(counted)) expect(event).toHaveProperty('type')
  return rows
}

test('without guidance nothing is computed for what is not to be seen', async () => {
  const base = join(bundledModelsDir(), 'moving-shapes')
  const { parts } = await openTextToVideo(new SessionCache(), base, `${base}-motion`, options)
  const size = { width: 32, height: 32, numFrames: 2, prompt: 'a red circle' }
  const at = (guidanceScale: number) =>
    rowsOf(parts, (counted) => textToVideo(counted, { ...request, ...size, guidanceScale }, () => null))
  expect(await at(4)).toEqual([2, 2, 2])
  expect(await at(1)).toEqual([1, 1, 1])
  expect(await at(0)).toEqual([1, 1, 1])
})

test('a denoiser that reads the guidance as a number is asked once a step', async () => {
  const [checkpoints, folder] = [join(goldens, 'pipelines/checkpoints'), await temporaryFolder()]
  cpSync(join(checkpoints, 'sd-tiny-2'), folder, { recursive: true })
  rmSync(join(folder, 'unet'), { recursive: true })
  cpSync(join(checkpoints, 'sd-unet-time-cond'), join(folder, 'unet'), { recursive: true })
  const { parts } = await openTextToImage(new SessionCache(), folder, { ...options, scheduler: 'LCMScheduler' })
  const size = { width: 24, height: 16, prompts: [{ prompt: 'a star', negativePrompt: '' }] }
  const rows = await rowsOf(parts, (counted) =>
    textToImage(counted, { ...request, ...size, guidanceScale: 8 }, () => null),
  )
  expect(rows).toEqual([1, 1, 1])
})
