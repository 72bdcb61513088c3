import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openVae } from '#app/checkpoints/open-part.ts'
import { goldens } from '#app/checkpoints/testing.ts'
import { defaultCompute } from '#app/contract/compute.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { previewPlan } from '../preview-plan.ts'
import { openAutoencoder } from './autoencoder.ts'
import { previewsWithinShare } from './preview.ts'

test('a preview is as large as three parts of a hundred of a step allow, and where that is too little, rare', () => {
  expect(previewPlan(10, 16, 10_000)).toEqual({ shrink: 1, every: 1 })
  // 16 frames of 512x512 without guidance: 0.14 TFLOP a frame, and 18 a step.
  expect(previewPlan(140, 16, 18_000)).toEqual({ shrink: 4, every: 1 })
  expect(previewPlan(140, 16, 37_000)).toEqual({ shrink: 2, every: 1 })
  expect(previewPlan(140, 16, 2000)).toEqual({ shrink: 4, every: 3 })
})

test('a tiny decoder shows a slow run as it is, and a fast one small at first and then no more', async () => {
  const vae = await openVae(join(goldens, 'checkpoints/autoencoder-tiny-taesd'))
  const decoder = openAutoencoder(vae, new SessionCache(), defaultCompute)
  const latents = float32(
    [1, 4, 3, 8, 12],
    Float32Array.from({ length: 4 * 3 * 8 * 12 }, (_, i) => Math.sin(i)),
  )
  const slow = previewsWithinShare(decoder)
  for (let step = 0; step < 2; step++)
    expect(await slow(latents, 1e9)).toMatchObject({ width: 48, height: 32, count: 3 })
  const fast = previewsWithinShare(decoder)
  expect(await fast(latents, 1e-9)).toMatchObject({ width: 12, height: 8, count: 3 })
  expect(await fast(latents, 1e-9)).toBeUndefined()
  expect(await fast(latents, 1e9)).toMatchObject({ width: 48, height: 32, count: 3 })
})
