import { describe, expect, it } from 'vitest'
import { planarYuv, rgbToI420, yuvToRgb, type YuvColour } from './color.ts'
import type { RgbFrame } from './frame.ts'

const limited709: YuvColour = { matrix: 'bt709', fullRange: false }

const flat = (width: number, height: number, color: readonly number[]): RgbFrame => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => color[i % 3]!),
})

describe('yuvToRgb', () => {
  // Colour bars as the standards' own tables have them.
  for (const [name, colour, yuv, rgb] of [
    ['BT.601 limited red', { matrix: 'bt601', fullRange: false }, [81, 90, 240], [254, 0, 0]],
    ['BT.709 limited red', limited709, [63, 102, 240], [255, 1, 0]],
    ['BT.601 full red', { matrix: 'bt601', fullRange: true }, [76, 85, 255], [254, 0, 0]],
    ['BT.2020 limited red', { matrix: 'bt2020', fullRange: false }, [74, 97, 240], [256, 0, 0]],
    ['limited white', limited709, [235, 128, 128], [255, 255, 255]],
    ['limited black', limited709, [16, 128, 128], [0, 0, 0]],
    ['below black', limited709, [0, 128, 128], [0, 0, 0]],
  ] as const)
    it(name, () => {
      const [y, u, v] = yuv
      const data = Uint8Array.of(y, y, y, y, u, v)
      const out = yuvToRgb(planarYuv(2, 2, [1, 1], 8, data), colour)
      for (let i = 0; i < 12; i++) expect(Math.abs(out.data[i]! - rgb[i % 3]!)).toBeLessThanOrEqual(2)
    })

  it('reads NV12, 4:2:2, 4:4:4 and ten bits as the same picture, within what swscale has them apart', () => {
    const apart = ({ data }: RgbFrame): number =>
      data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected.data[i]!)), 0)
    const [y, u, v] = [120, 100, 150]
    const expected = yuvToRgb(planarYuv(4, 2, [1, 1], 8, Uint8Array.of(...Array(8).fill(y), u, u, v, v)), limited709)
    const fill = (counts: readonly number[]) => [y, u, v].flatMap((value, i) => Array<number>(counts[i]!).fill(value))
    for (const [shift, counts] of [
      [
        [1, 0],
        [8, 4, 4],
      ],
      [
        [0, 0],
        [8, 8, 8],
      ],
    ] as const)
      expect(apart(yuvToRgb(planarYuv(4, 2, shift, 8, Uint8Array.from(fill(counts))), limited709))).toBeLessThanOrEqual(
        2,
      )
    const deep = Uint16Array.from(fill([8, 2, 2]), (value) => value << 2)
    expect(apart(yuvToRgb(planarYuv(4, 2, [1, 1], 10, deep), limited709))).toBeLessThanOrEqual(2)
    const nv12 = Uint8Array.of(...Array(8).fill(y), u, v, u, v)
    const luma = { offset: 0, stride: 4, step: 1 }
    const planes = [luma, { offset: 8, stride: 4, step: 2 }, { offset: 9, stride: 4, step: 2 }] as const
    const size = { width: 4, height: 2, bitDepth: 8, chromaShift: [1, 1] as const }
    expect(yuvToRgb({ ...size, data: nv12, planes }, limited709)).toEqual(expected)
  })

  it('says when samples are missing', () => {
    expect(() => planarYuv(4, 4, [1, 1], 8, new Uint8Array(23))).toThrow('23 samples do not fill a 4x4 picture')
  })
})

describe('rgbToI420', () => {
  it('comes back within rounding, odd sizes too', () => {
    for (const [width, height] of [
      [4, 4],
      [5, 3],
      [1, 1],
    ] as const)
      for (const color of [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [12, 200, 99],
        [255, 255, 255],
      ]) {
        const frame = flat(width, height, color)
        const back = yuvToRgb(planarYuv(width, height, [1, 1], 8, rgbToI420(frame)), limited709)
        for (const [i, value] of frame.data.entries()) expect(Math.abs(back.data[i]! - value)).toBeLessThanOrEqual(3)
      }
  })
})
