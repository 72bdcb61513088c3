import { clamped, weightedSum } from './arithmetic.ts'

/** What the network predicts; `v_prediction` is section 2.4 of arXiv 2202.00512. */
export type PredictionType = 'epsilon' | 'sample' | 'v_prediction'

/** The clean sample of x = alpha * clean + sigma * noise, from the model's output. */
export function predictedOriginal(
  type: PredictionType,
  output: Float32Array,
  sample: Float32Array,
  alpha: number,
  sigma: number,
): Float32Array {
  if (type === 'sample') return output
  if (type === 'epsilon') return weightedSum([1 / alpha, sample], [-sigma / alpha, output])
  return weightedSum([alpha, sample], [-sigma, output])
}

/** The noise in the same x. */
export function predictedEpsilon(
  type: PredictionType,
  output: Float32Array,
  sample: Float32Array,
  alpha: number,
  sigma: number,
): Float32Array {
  if (type === 'epsilon') return output
  if (type === 'sample') return weightedSum([1 / sigma, sample], [-alpha / sigma, output])
  return weightedSum([alpha, output], [sigma, sample])
}

/** The clean sample of x = clean + sigma * noise, the variance-exploding form of the Euler family. */
export function predictedOriginalAt(
  type: PredictionType,
  output: Float32Array,
  sample: Float32Array,
  sigma: number,
): Float32Array {
  if (type === 'sample') return output
  if (type === 'epsilon') return weightedSum([1, sample], [-sigma, output])
  const square = sigma * sigma + 1
  return weightedSum([-sigma / Math.sqrt(square), output], [1 / square, sample])
}

export type ThresholdConfig = { thresholding: boolean; dynamic_thresholding_ratio: number; sample_max_value: number }
export type ClipConfig = ThresholdConfig & { clip_sample: boolean; clip_sample_range: number }

/** The prediction held to its range, as the config asks: dynamically, by a fixed limit, or not at all. */
export function limited(config: ClipConfig, original: Float32Array, batch: number): Float32Array {
  if (config.thresholding) return thresholded(config, original, batch)
  return config.clip_sample ? clamped(original, config.clip_sample_range) : original
}

/** Dynamic thresholding, Imagen's appendix A.2 (arXiv 2205.11487), for each sample of the batch by itself. */
export function thresholded(config: ThresholdConfig, original: Float32Array, batch: number): Float32Array {
  const result = new Float32Array(original.length)
  const size = original.length / batch
  for (let row = 0; row < batch; row++) {
    const values = original.subarray(row * size, (row + 1) * size)
    const sorted = values.map(Math.abs).sort()
    const rank = config.dynamic_thresholding_ratio * (size - 1)
    const low = sorted[Math.floor(rank)] ?? 0
    const quantile = low + ((sorted[Math.ceil(rank)] ?? low) - low) * (rank - Math.floor(rank))
    const limit = Math.min(Math.max(quantile, 1), config.sample_max_value)
    for (let i = 0; i < size; i++) result[row * size + i] = Math.min(limit, Math.max(-limit, values[i] ?? 0)) / limit
  }
  return result
}

/**
 * Mean and variance of an output (batch, 2 channels, ...); variance is undefined when the output has the sample's size.
 */
export function splitVariance(
  output: Float32Array,
  sampleSize: number,
  batch: number,
): { mean: Float32Array; variance: Float32Array | undefined } {
  if (output.length === sampleSize) return { mean: output, variance: undefined }
  if (output.length !== 2 * sampleSize)
    throw new Error(`${output.length} values are neither the mean nor the mean and variance of ${sampleSize}`)
  const mean = new Float32Array(sampleSize)
  const variance = new Float32Array(sampleSize)
  const size = sampleSize / batch
  for (let row = 0; row < batch; row++) {
    mean.set(output.subarray(2 * row * size, (2 * row + 1) * size), row * size)
    variance.set(output.subarray((2 * row + 1) * size, (2 * row + 2) * size), row * size)
  }
  return { mean, variance }
}
