import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { openUNetMotion } from './unet-motion.ts'

const demo = resolve('resources/demo-models')
const numbers = (shape: readonly number[], seed: number): Tensor<'float32'> =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed + i * 1.7)),
  )
const apart = (a: Float32Array, b: Float32Array): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))

test.each([
  ['one prompt for each video', 2, 64, 4],
  ['one prompt for each frame', 20, 64, 4],
  ['runs that leave a shorter one', 2, 60, 3],
  ['one frame and one pixel at a time', 2, 1, 1],
])('split inference makes the same numbers: %s', async (_, prompts, spatialSplitSize, temporalSplitSize) => {
  const sessions = new SessionCache()
  const unet = await openUNetMotion(sessions, join(demo, 'moving-shapes/unet'), join(demo, 'moving-shapes-motion'))
  const width = [unet.config.cross_attention_dim].flat()[0]!
  const inputs = {
    sample: numbers([2, unet.config.in_channels, 10, 8, 8], 1),
    timestep: float32([2], [300, 600]),
    encoder_hidden_states: numbers([prompts, 5, width], 2),
  }
  const forward = async (): Promise<Float32Array> => toFloat32((await unet.run('forward', inputs)).sample).data
  unet.enableFreeNoise({ contextLength: 4, contextStride: 2, weightingScheme: 'pyramid' })
  const whole = await forward()
  unet.enableFreeNoiseSplitInference({ spatialSplitSize, temporalSplitSize })
  const split = await forward()
  expect(sessions.stats().compilations).toBe(2)
  expect(apart(split, whole)).toBeLessThan(1e-4 * Math.max(...whole))
  unet.disableFreeNoiseSplitInference()
  expect(apart(await forward(), whole)).toBe(0)
})
