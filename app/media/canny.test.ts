import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { canny } from './canny.ts'
import type { RgbFrame } from './frame.ts'

async function read(name: string): Promise<RgbFrame> {
  const file = join(import.meta.dirname, '../../e2e/goldens/canny', name)
  const { data, info } = await sharp(file)
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const pixels =
    info.channels === 1 ? Uint8Array.from({ length: data.length * 3 }, (_, i) => data[Math.floor(i / 3)]!) : data
  return { width: info.width, height: info.height, data: new Uint8Array(pixels) }
}

/** One character for each pixel, so that a difference is seen. */
const drawn = ({ width, height, data }: RgbFrame): string[] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => (data[(y * width + x) * 3] ? '#' : '.')).join(''),
  )

test.each([
  [100, 200],
  [40, 300],
])("edges between %i and %i are OpenCV's", async (low, high) => {
  const edges = canny(await read('picture.png'), { low, high })
  expect(drawn(edges)).toEqual(drawn(await read(`edges-${low}-${high}.png`)))
})

test('a picture of one colour has none, and one of a single pixel is no trouble', () => {
  for (const [width, height] of [
    [5, 3],
    [1, 1],
  ] as const) {
    const data = new Uint8Array(width * height * 3).fill(200)
    expect(canny({ width, height, data }).data.every((value) => value === 0)).toBe(true)
  }
})
