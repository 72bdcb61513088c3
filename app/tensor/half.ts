/**
 * Half-precision floats as their bits, converted exactly; to half, to the nearest value with ties to even
 * (IEEE 754-2019, 4.3.1).
 */

let float16Values: Float32Array | undefined

/** The 65,536 values of float16: IEEE 754 binary16, subnormals, infinities and NaN included. */
function everyFloat16(): Float32Array {
  if (float16Values) return float16Values
  const values = new Float32Array(0x10000)
  for (let bits = 0; bits < 0x10000; bits++) {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 0x1f
    const fraction = bits & 0x3ff
    if (exponent === 0) values[bits] = sign * fraction * 2 ** -24
    else if (exponent < 31) values[bits] = sign * (1024 + fraction) * 2 ** (exponent - 25)
    else values[bits] = fraction ? NaN : sign * Infinity
  }
  float16Values = values
  return values
}

export function float16ToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const table = everyFloat16()
  const values = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]!]!
  return values
}

/** Shifts `bits` right and rounds what falls off to nearest, ties to even. */
function shiftRounded(bits: number, shift: number): number {
  const kept = bits >>> shift
  const lost = bits & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return lost > half || (lost === half && kept & 1) ? kept + 1 : kept
}

export function float32ToFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const result = new Uint16Array(values.length)
  for (let i = 0; i < source.length; i++) {
    const bits = source[i]!
    const sign = (bits >>> 16) & 0x8000
    const exponent = (bits >>> 23) & 0xff
    const fraction = bits & 0x7fffff
    const power = exponent - 127 + 15
    let half: number
    if (exponent === 0xff) half = fraction ? 0x7e00 | (fraction >>> 13) : 0x7c00
    else if (power >= 31) half = 0x7c00
    // A carry out of the fraction lands in the exponent, which is the right value: the next power of two, or infinity.
    else if (power > 0) half = shiftRounded((power << 23) | fraction, 13)
    else if (power > -11) half = shiftRounded(0x800000 | fraction, 14 - power)
    else half = 0
    result[i] = sign | half
  }
  return result
}

export function bfloat16ToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length)
  const target = new Uint32Array(values.buffer)
  for (let i = 0; i < bits.length; i++) target[i] = bits[i]! << 16
  return values
}

export function float32ToBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const result = new Uint16Array(values.length)
  for (let i = 0; i < source.length; i++) {
    const bits = source[i]!
    const isNaN = (bits & 0x7fffffff) > 0x7f800000
    result[i] = isNaN ? (bits >>> 16) | 0x40 : shiftRounded(bits, 16)
  }
  return result
}
