import { describe, expect, it } from 'vitest'
import { latentNoise, normalNoise } from './noise.ts'
import { philox } from './philox.ts'
import { sizeOf } from './tensor.ts'

describe('philox', () => {
  // The known-answer vectors published with the paper's Random123 library.
  const vectors = [
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const
  const words = (hex: string) => hex.split(' ').map((word) => Number.parseInt(word, 16))
  it.each(vectors)('counter %s, key %s', (counter, key, answer) => {
    const out = new Uint32Array(4)
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = words(counter)
    const [k0 = 0, k1 = 0] = words(key)
    philox(out, c0, c1, c2, c3, k0, k1)
    expect([...out]).toEqual(words(answer))
  })
})

describe('normalNoise', () => {
  it('gives the frozen numbers of seed 42', () => {
    expect([...normalNoise(42, 0, [6]).data]).toEqual([
      -0.9701898097991943, 0.19401895999908447, -1.2356207370758057, 1.9239267110824585, -0.07318150997161865,
      0.13913749158382416,
    ])
    expect([...normalNoise(2 ** 53 - 1, 7, [3]).data]).toEqual([
      1.2283108234405518, 0.0726587101817131, 0.6877087354660034,
    ])
  })

  it('is the Box-Muller transform of the words, to float32 rounding', () => {
    const noise = normalNoise(9, 3, [4000]).data
    const words = new Uint32Array(4)
    for (let block = 0; block < 1000; block++) {
      philox(words, block, 0, 3, 0, 9, 0)
      const [u1 = 0, u2 = 0] = words
      const radius = Math.sqrt(-2 * Math.log((u1 + 0.5) / 2 ** 32))
      const angle = (2 * Math.PI * u2) / 2 ** 32
      expect(Math.abs((noise[block * 4] ?? NaN) - radius * Math.cos(angle))).toBeLessThan(5e-7)
      expect(Math.abs((noise[block * 4 + 1] ?? NaN) - radius * Math.sin(angle))).toBeLessThan(5e-7)
    }
  })

  it('has the moments and tails of a standard normal', () => {
    const noise = normalNoise(1, 0, [400_000]).data
    const moment = (power: number) => noise.reduce((sum, x) => sum + x ** power, 0) / noise.length
    // Four standard errors of each sample moment.
    const errors = (variance: number) => 4 * Math.sqrt(variance / noise.length)
    expect(Math.abs(moment(1))).toBeLessThan(errors(1))
    expect(Math.abs(moment(2) - 1)).toBeLessThan(errors(2))
    expect(Math.abs(moment(3))).toBeLessThan(errors(15))
    expect(Math.abs(moment(4) - 3)).toBeLessThan(errors(96))
    const beyondTwo = noise.filter((x) => Math.abs(x) > 2).length / noise.length
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(errors(0.0434))
    let neighbours = 0
    for (let i = 1; i < noise.length; i++) neighbours += (noise[i] ?? 0) * (noise[i - 1] ?? 0)
    expect(Math.abs(neighbours / noise.length)).toBeLessThan(errors(1))
  })

  it('starts a longer array with the shorter one', () => {
    const long = normalNoise(5, 1, [103]).data
    for (const length of [1, 2, 3, 4, 5, 50]) expect(normalNoise(5, 1, [length]).data).toEqual(long.slice(0, length))
  })

  it('differs by seed, high bits of the seed, and stream', () => {
    const arrays = [
      normalNoise(5, 0, [8]),
      normalNoise(6, 0, [8]),
      normalNoise(5 + 2 ** 32, 0, [8]),
      normalNoise(5, 1, [8]),
    ]
    expect(new Set(arrays.map((noise) => noise.data.join())).size).toBe(4)
    expect(normalNoise(5n, 0, [8])).toEqual(arrays[0])
  })

  it.each([-1, 0.5, 2 ** 53, NaN, 2n ** 60n])('refuses seed %s', (seed) => {
    expect(() => normalNoise(seed, 0, [1])).toThrow(/seed is an integer/)
  })
})

describe('latentNoise', () => {
  it('keeps earlier frames, rows, columns, channels and videos when the shape grows', () => {
    const small = [1, 3, 4, 5, 6] as const
    const large = [2, 6, 7, 8, 9] as const
    const at = (shape: readonly number[], index: readonly number[]) =>
      index.reduce((offset, position, axis) => offset * (shape[axis] ?? 0) + position, 0)
    const a = latentNoise(11, small).data
    const b = latentNoise(11, large).data
    let compared = 0
    for (let c = 0; c < 3; c++)
      for (let f = 0; f < 4; f++)
        for (let y = 0; y < 5; y++)
          for (let x = 0; x < 6; x++, compared++)
            expect(a[at(small, [0, c, f, y, x])]).toBe(b[at(large, [0, c, f, y, x])])
    expect(compared).toBe(sizeOf(small))
  })

  it('has no number twice, across positions, draws and normalNoise', () => {
    const shape = [2, 4, 3, 16, 16]
    const all = [...latentNoise(3, shape).data, ...latentNoise(3, shape, 1).data, ...normalNoise(3, 0, shape).data]
    // float32 normals collide by chance: with this seed and count a handful of pairs, never a repeated block.
    expect(all.length - new Set(all).size).toBeLessThan(all.length / 200)
  })

  it('gives the frozen numbers of seed 42', () => {
    expect([...latentNoise(42, [1, 4, 1, 1, 2]).data]).toEqual([
      -1.691435694694519, -1.2423360347747803, -1.1320295333862305, 1.6265314817428589, 0.3261285424232483,
      -1.7461388111114502, -1.4560037851333618, -0.8716799020767212,
    ])
  })

  it('refuses other ranks', () => {
    expect(() => latentNoise(1, [1, 4, 8, 8])).toThrow(/batch, channel, frame/)
  })
})
