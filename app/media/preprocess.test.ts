import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parsePreprocessConfig, preprocessFrames } from './preprocess.ts'

type Case = {
  width: number
  height: number
  config: Record<string, unknown>
  frames: string
  shape: number[]
  pixelValues: string
}

// Made with VideoMAEImageProcessorPil of transformers 5.23 on noise: every filter kind, padding, odd crops, each step
// left out.
const cases = JSON.parse(
  readFileSync(new URL('../../e2e/goldens/media/preprocess.json', import.meta.url), 'utf8'),
) as Case[]

describe('preprocessFrames', () => {
  for (const { width, height, config, frames, shape, pixelValues } of cases)
    it(`is the reference's for ${width}x${height} and ${JSON.stringify(config)}`, () => {
      const data = new Uint8Array(Buffer.from(frames, 'base64'))
      const size = width * height * 3
      const pixels = preprocessFrames(
        [0, 1].map((f) => ({ width, height, data: data.subarray(f * size, (f + 1) * size) })),
        parsePreprocessConfig(config),
      )
      const expected = new Float32Array(new Uint8Array(Buffer.from(pixelValues, 'base64')).buffer)
      expect(pixels.shape).toEqual(shape)
      expect(pixels.data.length).toBe(expected.length)
      let worst = 0
      pixels.data.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - expected[i]!))))
      expect(worst).toBeLessThan(1e-5)
    })

  it('covers every case', () => expect(cases).toHaveLength(7))

  it('refuses frames of different sizes that stay different', () => {
    const frame = (width: number) => ({ width, height: 4, data: new Uint8Array(width * 12) })
    const config = parsePreprocessConfig({ do_center_crop: false, do_resize: false })
    expect(() => preprocessFrames([frame(4), frame(5)], config)).toThrow('different sizes')
    expect(() => preprocessFrames([], config)).toThrow('no frames')
  })
})

describe('parsePreprocessConfig', () => {
  const published = {
    crop_size: { height: 224, width: 224 },
    do_center_crop: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.45, 0.45, 0.45],
    image_processor_type: 'VideoMAEImageProcessor',
    image_std: [0.225, 0.225, 0.225],
    resample: 2,
    rescale_factor: 0.00392156862745098,
    size: { shortest_edge: 224 },
  }

  it('takes a published config as it is', () => expect(parsePreprocessConfig(published)).toEqual(published))

  it('takes the plain numbers of old configs', () =>
    expect(parsePreprocessConfig({ size: 224, crop_size: 200 })).toMatchObject({
      size: { shortest_edge: 224 },
      crop_size: { height: 200, width: 200 },
    }))

  for (const [what, change, field] of [
    ['a key that it does not know', { do_thumbnail: true }, 'do_thumbnail'],
    ['another processor', { image_processor_type: 'VivitImageProcessor' }, 'image_processor_type'],
    ['a longest edge', { size: { longest_edge: 224 } }, 'size'],
    ['padding', { do_pad: true }, 'do_pad'],
    ['a filter that PIL does not have', { resample: 9 }, 'resample'],
    ['a zero deviation', { image_std: [0.2, 0, 0.2] }, 'image_std'],
    ['a huge size', { size: { shortest_edge: 100000 } }, 'size'],
  ] as const)
    it(`refuses ${what} by name`, () => {
      expect(() => parsePreprocessConfig({ ...published, ...change })).toThrow(field)
    })
})
