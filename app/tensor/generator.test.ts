import { describe, expect, it } from 'vitest'
import { createGenerator } from './generator.ts'

/** What torch 2.15 draws: `g = torch.Generator().manual_seed(seed); torch.randn(shape, generator=g)`, twice. */
const reference = [
  { seed: 0, shape: [16], first: [-1.1258398, -1.1523602, -0.2505786, -0.4338788, 0.8487104, 0.6920092, -0.3160128, -2.1152194, 0.3222749, -1.2633348, 0.3499832, 0.3081339, 0.1198415, 1.2376579, 1.1167772, -0.2472782], then: [-1.3526537, -1.6959312, 0.5666506, 0.7935084] }, // prettier-ignore
  { seed: 42, shape: [1, 4, 2, 3, 3], first: [1.9269153, 1.4872841, 0.9007172, -2.105521], then: [0.7281095, -0.7106419, -0.6020683, 0.9604488] }, // prettier-ignore
  { seed: 2 ** 32 + 7, shape: [19], first: [-0.8201345, 0.3956312, 0.8989085, -0.3300117, 0.1984451, 0.7820727, 1.0391077, -0.7245107, -0.8489086, -1.2169294, -0.0810216, -0.345242, -2.0614779, 0.6741007, -1.3233458, -1.359769, -0.8667016, -0.5640067, -2.0564625], then: [2.2983427, 0.9571022, -0.6618676, -0.3089963] }, // prettier-ignore
  { seed: 2 ** 32 - 1, shape: [40], first: [-2.6642976, -1.0910486, 0.4514474, 0.2283607], then: [-0.9546031, 0.5040977, -0.913904, -0.2558487] }, // prettier-ignore
]

describe('createGenerator', () => {
  it.each(reference)('draws what torch draws from seed $seed, in tensors of $shape', ({ seed, shape, first, then }) => {
    const generator = createGenerator(seed)
    for (const expected of [first, then]) {
      const { data } = generator.normal(shape)
      expected.forEach((value, i) => {
        expect(Math.abs(data[i]! - value)).toBeLessThan(1e-6)
      })
    }
  })

  it('draws what torch draws at the end of a long tensor, whose last numbers are drawn anew', () => {
    const { data } = createGenerator(42).normal([1_000_003])
    const expected = [-0.17854401, 0.90666962, 0.51456583]
    expected.forEach((value, i) => {
      expect(Math.abs(data[1_000_000 + i]! - value)).toBeLessThan(1e-6)
    })
    expect(data.reduce((sum, value) => sum + value, 0) / data.length).toBeCloseTo(-0.00059129, 7)
  })

  it('gives the frozen bits of seed 42', () => {
    expect([...new Uint32Array(createGenerator(42).normal([16]).data.buffer)]).toEqual([
      1073128744, 1069440851, 1063687527, 3221668060, 1059957971, 3214804370, 3174066041, 3217909178, 3208678395,
      1070795098, 3200840437, 3216222564, 3208271471, 3205445327, 3208958624, 1061367713,
    ])
  })

  it.each([-1, 0.5, 2 ** 53, NaN])('refuses seed %s', (seed) => {
    expect(() => createGenerator(seed)).toThrow(/seed is an integer/)
  })

  it('refuses fewer numbers than torch draws in this way', () => {
    expect(() => createGenerator(1).normal([15])).toThrow(/at least 16/)
  })
})
