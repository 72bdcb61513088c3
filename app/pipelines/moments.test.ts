import { expect, test } from 'vitest'
import { float32 } from '#app/tensor/tensor.ts'
import { drawnLatents } from './moments.ts'

test('a deviation is drawn once for all pictures, and nothing is where there is none', () => {
  const draws: (readonly number[])[] = []
  const draw = (shape: readonly number[]): Float32Array => {
    draws.push(shape)
    return Float32Array.from([1, -1])
  }
  const [mean, std] = [float32([1, 1, 1, 1], [3]), float32([1, 1, 1, 1], [0.5])]
  expect([
    ...drawnLatents(
      [
        { mean, std },
        { mean, std },
      ],
      2,
      draw,
    ).data,
  ]).toEqual([7, 5])
  expect(draws).toEqual([[2, 1, 1, 1]])
  expect([...drawnLatents([{ mean }, { mean }], 2, draw).data]).toEqual([6, 6])
  expect(draws).toHaveLength(1)
})
