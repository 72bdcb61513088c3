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

/** Each row `times` times, one copy after the other. */
export function repeatRows(tensor: Floats, times: number): Floats {
  if (times === 1) return tensor
  const each = Array.from({ length: tensor.shape[0]! }, (_, row) => rows(tensor, row, row + 1))
  return joinRows(each.flatMap((row) => Array.from({ length: times }, () => row)))
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

/**
 * The same for a model that predicts a variance beside the mean, (2N, 2C, ...) -> (N, 2C, ...): only the mean is
 * guided, and the variance is that with the prompt.
 * Source: diffusers pipeline_kandinsky2_2.py@58eb52c KandinskyV22Pipeline.__call__.
 */
export function guideMean(predicted: Floats, scale: number): Floats {
  const half = predicted.shape[0]! / 2
  const guided = guide(predicted, scale)
  const size = guided.length / half
  const withPrompt = rows(predicted, half, 2 * half).data
  for (let row = 0; row < half; row++) {
    const from = row * size + size / 2
    guided.set(withPrompt.subarray(from, (row + 1) * size), from)
  }
  return float32([half, ...predicted.shape.slice(1)], guided)
}

/** The mean alone, (N, 2C, ...) -> N * C values. */
export function meanOf({ shape, data }: Floats): Float32Array {
  const count = shape[0]!
  const size = data.length / count / 2
  const mean = new Float32Array(count * size)
  for (let row = 0; row < count; row++) mean.set(data.subarray(2 * row * size, (2 * row + 1) * size), row * size)
  return mean
}
