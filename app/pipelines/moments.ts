import { float32, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { joinRows } from './guidance.ts'

type Floats = Tensor<'float32'>

/** Mean and deviation of latents, each (N, C, h, w); without a deviation where an autoencoder says one thing only. */
export type Moments = { readonly mean: Floats; readonly std?: Floats }

/**
 * Scaled latents of pictures that were encoded one by one, drawn together; nothing is drawn where nothing is left open.
 * Source: diffusers pipeline_stable_diffusion_img2img.py@58eb52c retrieve_latents.
 */
export function drawnLatents(
  moments: readonly Moments[],
  scalingFactor: number,
  draw: (shape: Shape) => Float32Array,
): Floats {
  const mean = joinRows(moments.map((one) => one.mean))
  const deviations = moments.flatMap(({ std }) => std ?? [])
  const std = deviations.length > 0 ? joinRows(deviations).data : undefined
  const noise = std && draw(mean.shape)
  const at = (value: number, i: number): number => (std && noise ? value + std[i]! * noise[i]! : value)
  return float32(
    mean.shape,
    mean.data.map((value, i) => at(value, i) * scalingFactor),
  )
}
