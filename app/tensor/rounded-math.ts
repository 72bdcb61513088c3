/**
 * Functions from exactly rounded operations only: Math.log, Math.sin and Math.cos may differ between JavaScript
 * engines.
 */

/** Natural logarithm of `steps` / 2^24, for whole `steps` from 1 on. */
export function logOfFraction(steps: number): number {
  let mantissa = steps
  let exponent = -24
  while (mantissa >= 65536) {
    mantissa /= 65536
    exponent += 16
  }
  while (mantissa > Math.SQRT2) {
    mantissa /= 2
    exponent++
  }
  const s = (mantissa - 1) / (mantissa + 1) // ln m = 2 atanh s, |s| < 0.172
  const square = s * s
  let series = 0
  for (let k = 25; k >= 1; k -= 2) series = series * square + 1 / k
  return exponent * Math.LN2 + 2 * s * series
}

const SIN = [-1 / 1307674368000, 1 / 6227020800, -1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1]
const COS = [1 / 20922789888000, -1 / 87178291200, 1 / 479001600, -1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -1 / 2, 1]

/** Taylor coefficients from the highest, in the square of an angle within an eighth of a turn. */
function polynomial(coefficients: readonly number[], square: number): number {
  let value = 0
  for (const coefficient of coefficients) value = value * square + coefficient
  return value
}

const turn = 2 ** 24

/** Cosine and sine of `steps` / 2^24 of a turn. */
export function cosSinOfTurn(steps: number): { cos: number; sin: number } {
  const quadrant = Math.floor((steps + turn / 8) / (turn / 4))
  const angle = (steps - quadrant * (turn / 4)) * ((2 * Math.PI) / turn)
  const square = angle * angle
  const sin = angle * polynomial(SIN, square)
  const cos = polynomial(COS, square)
  switch (quadrant % 4) {
    case 0:
      return { cos, sin }
    case 1:
      return { cos: -sin, sin: cos }
    case 2:
      return { cos: -cos, sin: -sin }
    default:
      return { cos: sin, sin: -cos }
  }
}
