import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'

type Floats = Tensor<'float32'>

/** Tensors of the same row shape, one after the other along the first axis. */
export function joinRows(tensors: readonly Floats[]): Floats {
  const [first] = tensors
  if (!first) throw new Error('there are no rows to join')
  const data = new Float32Array(tensors.reduce((sum, { data }) => sum + data.length, 0))
  let at = 0
  for (const tensor of tensors) {
    data.set(tensor.data, at)
    at += tensor.data.length
  }
  const count = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0)
  return float32([count, ...first.shape.slice(1)], data)
}

/**
 * unconditioned + scale * (conditioned - unconditioned), of (2N, ...): the N rows without the prompt, then those with
 * it. `rescale` above 0 draws the deviation of each row to that of the conditioned one (arXiv 2305.08891, section 3.4).
 * Source: diffusers pipeline_stable_diffusion.py@58eb52c rescale_noise_cfg.
 */
export function guide(predicted: Floats, scale: number, rescale = 0): Float32Array {
  const half = predicted.shape[0]! / 2
  const [without, withPrompt] = [rows(predicted, 0, half).data, rows(predicted, half, 2 * half).data]
  const guided = without.map((value, i) => value + scale * (withPrompt[i]! - value))
  if (rescale === 0) return guided
  const size = guided.length / half
  for (let row = 0; row < half; row++) {
    const [from, to] = [row * size, (row + 1) * size]
    const ratio = deviation(withPrompt.subarray(from, to)) / deviation(guided.subarray(from, to))
    const factor = rescale * ratio + (1 - rescale)
    for (let i = from; i < to; i++) guided[i]! *= factor
  }
  return guided
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}
