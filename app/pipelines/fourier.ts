/**
 * The discrete Fourier transform of row-major complex numbers over all axes, in place; `direction` -1 is the inverse
 * without its division. Sizes are those of latents and of any factors: each axis is summed up directly.
 */
export function fourier(re: Float64Array, im: Float64Array, sizes: readonly number[], direction: 1 | -1): void {
  let stride = 1
  for (const size of sizes.toReversed()) {
    alongAxis(re, im, size, stride, direction)
    stride *= size
  }
}

function alongAxis(re: Float64Array, im: Float64Array, size: number, stride: number, direction: 1 | -1): void {
  const angles = Float64Array.from({ length: size }, (_, i) => (-direction * 2 * Math.PI * i) / size)
  const [cos, sin] = [angles.map(Math.cos), angles.map(Math.sin)]
  const [lineRe, lineIm] = [new Float64Array(size), new Float64Array(size)]
  for (let block = 0; block < re.length; block += size * stride)
    for (let first = block; first < block + stride; first++) {
      for (let n = 0; n < size; n++) {
        lineRe[n] = re[first + n * stride]!
        lineIm[n] = im[first + n * stride]!
      }
      for (let k = 0; k < size; k++) {
        let [sumRe, sumIm] = [0, 0]
        for (let n = 0, turn = 0; n < size; n++, turn = (turn + k) % size) {
          sumRe += lineRe[n]! * cos[turn]! - lineIm[n]! * sin[turn]!
          sumIm += lineRe[n]! * sin[turn]! + lineIm[n]! * cos[turn]!
        }
        re[first + k * stride] = sumRe
        im[first + k * stride] = sumIm
      }
    }
}
