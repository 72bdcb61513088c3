import { sizeOf, type Tensor } from '#app/tensor/tensor.ts'

/**
 * Bits of a signed weight. 7 where the processor adds pairs of 8-bit products in 16 bits, which overflow (see bits.ts).
 */
export type WeightBits = 7 | 8

/** Adding it to a double leaves no room for a fraction: several times as fast as Math.round. */
const roundToEven = 1.5 * 2 ** 52

export type QuantizedTensor = { readonly columns: Tensor<'int8'>; readonly scales: Tensor<'float32'> }

/**
 * A weight (O, C, ...spatial) as signed integers, symmetric about 0, with one scale for each output channel, laid out
 * as the columns (spatial * C, O) of a product. The largest value of a channel becomes the largest integer.
 */
export function quantizeWeight({ shape, data }: Tensor<'float32'>, bits: WeightBits): QuantizedTensor {
  const [out, channels, ...spatial] = shape as [number, number, ...number[]]
  const pixels = sizeOf(spatial)
  const inner = channels * pixels
  const most = 2 ** (bits - 1) - 1
  const scales = new Float32Array(out)
  for (let o = 0; o < out; o++) {
    let largest = 0
    for (let i = o * inner; i < (o + 1) * inner; i++) {
      const size = Math.abs(data[i]!)
      if (size > largest) largest = size
    }
    scales[o] = largest / most
  }
  const inverse = Float64Array.from(scales, (scale) => (scale === 0 ? 0 : 1 / scale))
  const columns = new Int8Array(inner * out)
  // In blocks of channels, so that what is written stays in the cache.
  const block = 64
  for (let first = 0; first < out; first += block) {
    const end = Math.min(out, first + block)
    for (let pixel = 0; pixel < pixels; pixel++)
      for (let c = 0; c < channels; c++) {
        const row = (pixel * channels + c) * out
        const from = c * pixels + pixel
        for (let o = first; o < end; o++)
          columns[row + o] = data[o * inner + from]! * inverse[o]! + roundToEven - roundToEven
      }
  }
  return {
    columns: { dtype: 'int8', shape: [inner, out], data: columns },
    scales: { dtype: 'float32', shape: [out], data: scales },
  }
}
