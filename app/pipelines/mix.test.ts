import { expect, test } from 'vitest'
import { float32 } from '#app/tensor/tensor.ts'
import { cosine, weightedSum } from './mix.ts'

const row = (...values: number[]) => float32([1, values.length], values)

test('weights are taken as they are: a half of each is the mean, one of each the sum', () => {
  const mixed = (a: number, b: number) =>
    Array.from(weightedSum([{ embedding: row(2, 0), weight: a }, { embedding: row(0, 4), weight: b }]).data) // prettier-ignore
  expect(mixed(0.5, 0.5)).toEqual([1, 2])
  expect(mixed(1, 1)).toEqual([2, 4])
  expect(mixed(1, -0.5)).toEqual([2, -2])
})

test('the cosine is that of the angle, whatever the lengths', () => {
  const [a, b] = [new Float32Array([3, 0]), new Float32Array([0, 2])]
  expect(cosine(a, new Float32Array([8, 0]))).toBe(1)
  expect(cosine(a, new Float32Array([-1, 0]))).toBe(-1)
  expect(cosine(a, b)).toBe(0)
  expect(cosine(a, new Float32Array([1, 1]))).toBeCloseTo(Math.SQRT1_2, 12)
})
