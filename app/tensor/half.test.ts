import { expect, test } from 'vitest'
import { toFloat32 } from './convert.ts'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half.ts'

const everyBits = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits)
const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!

// Values from the standard's own table of binary16 and from numpy.float16.
test.each([
  [0x0000, 0],
  [0x0001, 5.960464477539063e-8],
  [0x03ff, 6.097555160522461e-5],
  [0x0400, 6.103515625e-5],
  [0x3555, 0.333251953125],
  [0x3c00, 1],
  [0x3c01, 1.0009765625],
  [0xc000, -2],
  [0x7bff, 65504],
  [0x7c00, Infinity],
  [0xfc00, -Infinity],
])('float16 %i is %f', (bits, value) => {
  expect(float16ToFloat32(Uint16Array.of(bits))[0]).toBe(value)
  expect(float32ToFloat16(Float32Array.of(value))[0]).toBe(bits)
})

test('every float16 and bfloat16 but NaN comes back bit for bit, the negative zero too', () => {
  for (const [widen, narrow] of [
    [float16ToFloat32, float32ToFloat16],
    [bfloat16ToFloat32, float32ToBfloat16],
  ] as const) {
    const values = widen(everyBits)
    const back = narrow(values)
    let wrong = 0
    for (let bits = 0; bits < 0x10000; bits++)
      if (Number.isNaN(values[bits]) ? !Number.isNaN(widen(back.subarray(bits, bits + 1))[0]) : back[bits] !== bits)
        wrong++
    expect(wrong).toBe(0)
  }
})

/** The nearest of all finite values, ties to the even one; beyond the largest by half a step or more, infinity. */
function nearest(values: Float32Array, largest: number, step: number, value: number): number {
  const size = Math.abs(value)
  if (size >= largest + step / 2) return Math.sign(value) * Infinity
  let low = 0
  let high = values.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (values[middle]! <= size) low = middle
    else high = middle
  }
  const below = size - values[low]!
  const above = values[high]! - size
  const bits = below < above ? low : above < below ? high : low % 2 === 0 ? low : high
  return Math.sign(value) * values[bits]!
}

test('float32 rounds to the nearest half, ties to even, against a search among all halves', () => {
  const formats = [
    { widen: float16ToFloat32, narrow: float32ToFloat16, finite: 0x7c00, step: 32 },
    { widen: bfloat16ToFloat32, narrow: float32ToBfloat16, finite: 0x7f80, step: 2 ** 120 },
  ]
  for (const { widen, narrow, finite, step } of formats) {
    const values = widen(everyBits.subarray(0, finite))
    const largest = values[finite - 1]!
    const inputs: number[] = []
    for (let i = 0; i + 1 < finite; i += 7) {
      const middle = (values[i]! + values[i + 1]!) / 2
      for (const value of [middle, middle * (1 + 2 ** -23), middle * (1 - 2 ** -23)]) inputs.push(value, -value)
    }
    inputs.push(largest, largest + step / 2, largest + step / 2.01, 3e38, 1e-45, 1e-40, 2.98e-8, 2.99e-8)
    const source = Float32Array.from(inputs)
    const rounded = widen(narrow(source))
    const wrong = [...source].filter((value, i) => rounded[i] !== nearest(values, largest, step, value))
    expect(wrong).toEqual([])
  }
})

test('NaN stays NaN with any payload', () => {
  const values = new Float32Array(Uint32Array.of(0x7f800001, 0x7fc00000, 0xffffffff).buffer)
  expect([...float16ToFloat32(float32ToFloat16(values))]).toEqual([NaN, NaN, NaN])
  expect([...bfloat16ToFloat32(float32ToBfloat16(values))]).toEqual([NaN, NaN, NaN])
})

test('toFloat32 keeps float32 as it is and converts the others', () => {
  const same = { dtype: 'float32', shape: [1], data: Float32Array.of(1.5) } as const
  expect(toFloat32(same).data).toBe(same.data)
  expect(toFloat32({ dtype: 'int64', shape: [2], data: BigInt64Array.of(-3n, 7n) }).data).toEqual(
    Float32Array.of(-3, 7),
  )
  expect(toFloat32({ dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0xbf80) }).data).toEqual(Float32Array.of(-1))
  expect(toFloat32({ dtype: 'float16', shape: [1], data: Uint16Array.of(0x3c00) }).data).toEqual(Float32Array.of(1))
  expect(toFloat32({ dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) }).data).toEqual(Float32Array.of(0, 1))
  expect(bitsOf(toFloat32({ dtype: 'float64', shape: [1], data: Float64Array.of(0.1) }).data[0]!)).toBe(0x3dcccccd)
})
