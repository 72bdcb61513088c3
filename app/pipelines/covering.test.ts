import { expect, it } from 'vitest'
import { float32 } from '#app/tensor/tensor.ts'
import { covering } from './covering.ts'

const ramp = (height: number, width: number) =>
  float32(
    [1, 1, height, width],
    Float32Array.from({ length: height * width }, (_, i) => i),
  )

it('a picture of half the size is the mean of each four pixels', () => {
  expect([...covering(ramp(2, 4), { width: 2, height: 1 }).data]).toEqual([2.5, 4.5])
})

it('a wider picture is cut from its centre, an equal one is as it was', () => {
  expect([...covering(ramp(2, 6), { width: 2, height: 2 }).data]).toEqual([2, 3, 8, 9])
  expect(covering(ramp(2, 2), { width: 2, height: 2 }).data).toEqual(ramp(2, 2).data)
})

it('no size comes out a pixel short', () => {
  // int(512 * (160 / 512)) is 159 for some, and the reference then leaves a single column.
  for (let width = 8; width <= 256; width += 8)
    for (const [rows, columns] of [
      [208, 304],
      [240, 272],
      [512, 128],
    ] as const)
      expect(covering(ramp(rows, columns), { width, height: 120 }).shape).toEqual([1, 1, 120, width])
})
