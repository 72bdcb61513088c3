import type { Tensor } from '#app/tensor/tensor.ts'

const toByte = (value: number): number => Math.round(Math.min(Math.max(value / 2 + 0.5, 0), 1) * 255)

/** An image (1, 3, H, W) in -1..1 as RGB24 rows, written to `out` at `offset`. */
export function imageToRgb({ shape, data }: Tensor<'float32'>, out: Uint8Array, offset = 0): void {
  const plane = shape[2]! * shape[3]!
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) out[offset + i * 3 + c] = toByte(data[c * plane + i]!)
}

/** Whether every pixel of an RGB24 picture is the same: what is left where a model went wrong without NaN. */
export const isOneColour = ({ data }: { readonly data: Uint8Array }): boolean =>
  data.every((value, i) => value === data[i % 3])

/** Latents as colours by one linear map: `factors` has a row of (r, g, b) for each latent channel; results in -1..1. */
export type LatentRgb = { readonly factors: readonly (readonly number[])[]; readonly bias: readonly number[] }

/**
 * What the latents of Stable Diffusion's autoencoders look like at a glance. They are measured facts about those two
 * networks, fitted by others: comfy/latent_formats.py of ComfyUI, classes SD15 and SDXL.
 */
export const stableDiffusionRgb: LatentRgb = {
  factors: [
    [0.3512, 0.2297, 0.3227],
    [0.325, 0.4974, 0.235],
    [-0.2829, 0.1762, 0.2721],
    [-0.212, -0.2616, -0.7177],
  ],
  bias: [0, 0, 0],
}
export const stableDiffusionXlRgb: LatentRgb = {
  factors: [
    [0.3651, 0.4232, 0.4341],
    [-0.2533, -0.0042, 0.1068],
    [0.1076, 0.1111, -0.0362],
    [-0.3165, -0.2492, -0.2188],
  ],
  bias: [0, 0, 0],
}

/** All frames of latents (1, C, F, h, w) as RGB24, one pixel a latent. */
export function latentsToRgb(
  { shape, data }: Tensor<'float32'>,
  { factors, bias }: LatentRgb,
): { width: number; height: number; count: number; data: Uint8Array } {
  const [, channels, frames, height, width] = shape as [number, number, number, number, number]
  const plane = height * width
  const out = new Uint8Array(frames * plane * 3)
  for (let f = 0; f < frames; f++)
    for (let i = 0; i < plane; i++)
      for (let rgb = 0; rgb < 3; rgb++) {
        let value = bias[rgb] ?? 0
        for (let c = 0; c < channels; c++) value += data[(c * frames + f) * plane + i]! * (factors[c]?.[rgb] ?? 0)
        out[(f * plane + i) * 3 + rgb] = toByte(value)
      }
  return { width, height, count: frames, data: out }
}
