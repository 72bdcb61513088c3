import { expect, it } from 'vitest'
import { binFor } from './resolution-bins.ts'

it.each([
  [64, { height: 300, width: 450 }, { height: 416, width: 608 }],
  [128, { height: 700, width: 1100 }, { height: 768, width: 1280 }],
  [32, { height: 208, width: 56 }, { height: 512, width: 128 }],
  // The table for 2048 pixels is finer at its ends: 0.27 and 3.75.
  [256, { height: 1080, width: 4000 }, { height: 1024, width: 3840 }],
  [256, { height: 4000, width: 1066 }, { height: 3840, width: 1024 }],
  [128, { height: 4000, width: 1066 }, { height: 2048, width: 512 }],
])('sample_size %i: the nearest ratio', (sampleSize, asked, bin) => {
  expect(binFor(asked, sampleSize, 'sigma')).toEqual(bin)
})

it('of two ratios equally near the first of the table, which is the lower', () => {
  // 3.5 is half-way from 3 to 4, in doubles too.
  expect(binFor({ height: 28, width: 8 }, 64, 'alpha')).toEqual({ height: 864, width: 288 })
})

it('refuses a model that there is no table for', () => {
  expect(() => binFor({ height: 64, width: 64 }, 16, 'sigma')).toThrow(
    /sample_size is 16: switch resolution binning off/,
  )
  expect(() => binFor({ height: 64, width: 64 }, 256, 'alpha')).toThrow(/sample_size is 256/)
})
