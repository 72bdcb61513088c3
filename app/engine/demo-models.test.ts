import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { freeUSchema } from '#app/contract/settings.ts'
import { textToVideo } from '#app/pipelines/text-to-video.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { openTextToVideo } from '#app/pipelines/node/text-to-video.ts'
import { pixelsOf } from '#app/pipelines/node/preview.ts'
import { readJson, readTensors } from '#app/parity/case.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'

const root = join(import.meta.dirname, '../..')
const demo = (name: string): string => join(root, 'resources/demo-models', name)
const reference = join(root, 'e2e/goldens/demo-reference')
const clips = z
  .array(
    z.object({
      file: z.string(),
      prompt: z.string(),
      negative_prompt: z.string(),
      num_frames: z.int(),
      height: z.int(),
      width: z.int(),
      num_inference_steps: z.int(),
      guidance_scale: z.number(),
      freeu: freeUSchema.nullable(),
      latents: z.string(),
    }),
  )
  .parse(await readJson(join(reference, 'reference.json')))

describe('the bundled models, from given latents', () => {
  const sessions = new SessionCache()

  it.each(clips)("$file is the reference pipeline's clip, within 2 of 255", async (spec) => {
    const { parts } = await openTextToVideo(sessions, demo('moving-shapes'), demo('moving-shapes-motion'), {
      forwardChunking: null,
      scheduler: null,
      eta: 0,
    })
    const request = {
      prompt: spec.prompt,
      negativePrompt: spec.negative_prompt,
      width: spec.width,
      height: spec.height,
      numFrames: spec.num_frames,
      numInferenceSteps: spec.num_inference_steps,
      guidanceScale: spec.guidance_scale,
      seed: 0,
      clipSkip: null,
      latents: toFloat32(Object.values(await readTensors(join(reference, spec.latents)))[0]!),
    }
    const images = []
    for await (const event of textToVideo(parts, request, () => spec.freeu))
      if (event.type === 'frame') images.push(event.image)
    const { shape, data } = Object.values(await readTensors(join(reference, spec.file)))[0]! // (1, F, 3, H, W)
    const [, count, , height, width] = shape as [number, number, number, number, number]
    const ours = pixelsOf(images)
    expect([ours.count, ours.height, ours.width]).toEqual([count, height, width])
    const plane = height * width
    const worst = ours.data.reduce((most, value, i) => {
      const [frame, pixel, channel] = [Math.floor(i / 3 / plane), Math.floor(i / 3) % plane, i % 3]
      return Math.max(most, Math.abs(value - Number(data[(frame * 3 + channel) * plane + pixel])))
    }, 0)
    expect(worst).toBeLessThanOrEqual(2)
  })

  it('compiles nothing for a second clip with the same model', async () => {
    const before = sessions.stats()
    const { parts } = await openTextToVideo(sessions, demo('moving-shapes'), demo('moving-shapes-motion'), {
      forwardChunking: null,
      scheduler: null,
      eta: 0,
    })
    const request = {
      prompt: 'a blue star',
      negativePrompt: '',
      width: 64,
      height: 64,
      numFrames: 8,
      numInferenceSteps: 1,
      guidanceScale: 4,
      seed: 1,
      clipSkip: null,
    }
    // other FreeU values too
    for await (const _ of textToVideo(parts, request, () => ({ s1: 0.9, s2: 0.2, b1: 1.5, b2: 1.6 })));
    expect(sessions.stats()).toMatchObject({ compilations: before.compilations, bytesMapped: before.bytesMapped })
  })
})
