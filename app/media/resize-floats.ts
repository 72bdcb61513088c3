import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { kernels, tapWeights } from './resize.ts'

/**
 * Pictures (N, C, H, W) at another size, by the bicubic filter that widens with the reduction, in floats: torch's
 * `interpolate(mode='bicubic', antialias=True)`. Source: pytorch/aten/src/ATen/native/cpu/UpSampleKernel.cpp.
 */
export function resizeFloats({ shape, data }: Tensor<'float32'>, height: number, width: number): Tensor<'float32'> {
  const [count, channels, rows, columns] = shape as [number, number, number, number]
  const planes = count * channels
  const across = filtered(data, planes * rows, columns, 1, width)
  return float32([count, channels, height, width], filtered(across, planes, rows, width, height))
}

/** (lines, size, step) -> (lines, wanted, step), filtered along the second axis. */
function filtered(values: Float32Array, lines: number, size: number, step: number, wanted: number): Float32Array {
  const taps = Array.from({ length: wanted }, (_, out) => tapWeights(size, wanted, kernels.bicubic, out))
  const result = new Float32Array(lines * wanted * step)
  for (let line = 0; line < lines; line++)
    for (const [out, { first, weights }] of taps.entries())
      for (let at = 0; at < step; at++) {
        let sum = 0
        for (let i = 0; i < weights.length; i++) sum += values[(line * size + first + i) * step + at]! * weights[i]!
        result[(line * wanted + out) * step + at] = sum
      }
  return result
}
