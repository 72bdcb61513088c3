import { expect, it } from 'vitest'
import { float32 } from '#app/tensor/tensor.ts'
import { quantizeWeight } from './quantize-weight.ts'

const weight = float32(
  [2, 3, 2, 2],
  Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.3) * (i < 12 ? 1 : 0.01)),
)

it.each([8, 7] as const)('keeps every value within half a step of its channel, in %d bits', (bits) => {
  const { columns, scales } = quantizeWeight(weight, bits)
  const most = 2 ** (bits - 1) - 1
  expect(columns.shape).toEqual([12, 2])
  for (let o = 0; o < 2; o++) {
    const own = weight.data.subarray(o * 12, o * 12 + 12)
    expect(scales.data[o]! * most).toBeCloseTo(Math.max(...own.map(Math.abs)), 6)
    for (let c = 0; c < 3; c++)
      for (let pixel = 0; pixel < 4; pixel++) {
        const integer = columns.data[(pixel * 3 + c) * 2 + o]!
        expect(Math.abs(integer)).toBeLessThanOrEqual(most)
        expect(Math.abs(integer * scales.data[o]! - own[c * 4 + pixel]!)).toBeLessThanOrEqual(scales.data[o]! * 0.5001)
      }
  }
})

it('keeps a channel of zeros at zero', () => {
  const { columns, scales } = quantizeWeight(float32([2, 2], [0, 0, 1, -1]), 8)
  expect([columns.data[0], columns.data[2], scales.data[0]]).toEqual([0, 0, 0]) // of the first channel
})
