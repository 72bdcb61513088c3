/** Four 32-bit words: a counter, or one block of random words. */
export type Words = Uint32Array

const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85

/** The high half of the 64-bit product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)
  const low = Math.imul(aLow, bHigh) + (middle & 0xffff)
  // The partial products are below 2^32 but Math.imul is signed, hence the unsigned shifts.
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (low >>> 16)) >>> 0
}

/**
 * Philox 4x32-10: four random words that depend on nothing but the counter and the key (Salmon, Moraes, Dror and Shaw,
 * "Parallel random numbers: as easy as 1, 2, 3", 2011). Integer arithmetic only, so every machine gives the same.
 */
export function philox(out: Words, c0: number, c1: number, c2: number, c3: number, key0: number, key1: number): void {
  let x0 = c0 >>> 0
  let x1 = c1 >>> 0
  let x2 = c2 >>> 0
  let x3 = c3 >>> 0
  let k0 = key0 >>> 0
  let k1 = key1 >>> 0
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(MULTIPLIER_0, x0)
    const low0 = Math.imul(MULTIPLIER_0, x0)
    const high1 = mulHigh(MULTIPLIER_1, x2)
    const low1 = Math.imul(MULTIPLIER_1, x2)
    x0 = (high1 ^ x1 ^ k0) >>> 0
    x1 = low1 >>> 0
    x2 = (high0 ^ x3 ^ k1) >>> 0
    x3 = low0 >>> 0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  out[0] = x0
  out[1] = x1
  out[2] = x2
  out[3] = x3
}
