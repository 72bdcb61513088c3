const length = 624
const middle = 397

/**
 * 32-bit words of MT19937, seeded with the low 32 bits of `seed` (Matsumoto and Nishimura, "Mersenne Twister", 1998,
 * with the initialisation of 2002). Integer arithmetic only.
 */
export function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(length)
  state[0] = seed % 0x100000000
  for (let i = 1; i < length; i++) {
    const last = state[i - 1]!
    state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i
  }
  let next = length

  const twist = (): void => {
    for (let i = 0; i < length; i++) {
      const joined = (state[i]! & 0x80000000) | (state[(i + 1) % length]! & 0x7fffffff)
      state[i] = state[(i + middle) % length]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0)
    }
    next = 0
  }

  return () => {
    if (next === length) twist()
    let word = state[next++]!
    word ^= word >>> 11
    word ^= (word << 7) & 0x9d2c5680
    word ^= (word << 15) & 0xefc60000
    word ^= word >>> 18
    return word >>> 0
  }
}
