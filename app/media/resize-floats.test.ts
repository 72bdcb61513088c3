import { expect, test } from 'vitest'
import { float32 } from '#app/tensor/tensor.ts'
import { resizeFloats } from './resize-floats.ts'
import { resize } from './resize.ts'

test('a picture in floats is that in bytes, before it is rounded', () => {
  const [width, height] = [6, 5]
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => 60 + ((i * 37) % 120))
  const planes = Float32Array.from({ length: data.length }, (_, i) => {
    const plane = width * height
    return data[(i % plane) * 3 + Math.floor(i / plane)]!
  })
  for (const [w, h] of [
    [12, 9],
    [4, 3],
    [6, 10],
  ] as const) {
    const bytes = resize({ width, height, data }, w, h, 'bicubic').data
    const floats = resizeFloats(float32([1, 3, height, width], planes), h, w)
    expect(floats.shape).toEqual([1, 3, h, w])
    // Two passes round to bytes, by half a level each, and the second one widens that of the first a little.
    for (let i = 0; i < w * h; i++)
      for (let c = 0; c < 3; c++) expect(Math.abs(floats.data[c * w * h + i]! - bytes[i * 3 + c]!)).toBeLessThan(1.2)
  }
})
