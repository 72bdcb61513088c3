import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '#app/checkpoints/json.ts'
import type { Weights } from '#app/checkpoints/weights.ts'
import type { Pixels } from '#app/contract/engine.ts'
import { frameLatents } from '../diffusion.ts'
import { imageToRgb, latentsToRgb, stableDiffusionRgb, stableDiffusionXlRgb, type LatentRgb } from '../pixels.ts'
import { float32, sizeOf, type Tensor } from '#app/tensor/tensor.ts'
import type { Opened } from './stable-diffusion.ts'

/** How clean latents, (1, C, F, h, w) of a clip or (1, C, h, w) of a still, are shown while it is made. */
export type Preview = (latents: Tensor<'float32'>) => Promise<Pixels>

const latentRgbSchema = z.object({
  latent_rgb_factors: z.array(z.array(z.number()).length(3)),
  latent_rgb_bias: z.array(z.number()).length(3),
})

/**
 * Decoders up to this size show the frames themselves at each step: cheaper than the step by far, and true
 * (docs/decisions/models.md, "Previews by the model's own decoder where that is small").
 */
const smallDecoder = 2_000_000

/** Whether an autoencoder with these weights has a decoder of that size. */
export const isSmallDecoder = (weights: Weights): boolean =>
  [...weights.values()]
    .filter(({ name }) => name.startsWith('decoder.'))
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0) <= smallDecoder

/**
 * The preview that suits a model: its own decoder where that is small, else a linear map of latents to colours, from
 * the folder's latent_rgb.json or Stable Diffusion's.
 */
export async function openPreview(
  folder: string,
  { autoencoder, checkpoints, parts }: Opened<{ readonly scalingFactor: number }>,
): Promise<Preview> {
  if (isSmallDecoder(checkpoints.vae!.weights))
    return async (given) => {
      const latents = asClip(given)
      const [, , count] = latents.shape as [number, number, number]
      // Each frame becomes bytes at once: of a long clip a step would else hold all frames as floats.
      const frame = async (index: number): Promise<Pixels> =>
        pixelsOf([await autoencoder.decode(frameLatents(latents, index, 1 / parts.scalingFactor))])
      const first = await frame(0)
      const data = new Uint8Array(count * first.data.length)
      for (let index = 0; index < count; index++)
        data.set((index === 0 ? first : await frame(index)).data, index * first.data.length)
      return { ...first, count, data }
    }
  const map = await linearMap(folder, parts.scalingFactor)
  return (latents) => Promise.resolve(latentsToRgb(asClip(latents), map))
}

/** A still is a clip of one frame: the same numbers in the same order. */
const asClip = ({ shape, data }: Tensor<'float32'>): Tensor<'float32'> =>
  float32(shape.length === 5 ? shape : [...shape.slice(0, 2), 1, ...shape.slice(2)], data)

async function linearMap(folder: string, scalingFactor: number): Promise<LatentRgb> {
  const file = join(folder, 'latent_rgb.json')
  if (existsSync(file)) {
    const { latent_rgb_factors: factors, latent_rgb_bias: bias } = latentRgbSchema.parse(await readJson(file))
    return { factors, bias }
  }
  // The two families scale their latents differently.
  return scalingFactor < 0.15 ? stableDiffusionXlRgb : stableDiffusionRgb
}

/** Images (1, 3, H, W) as one block of pixels. */
export function pixelsOf(images: readonly Tensor<'float32'>[]): Pixels {
  const [height, width] = images[0]!.shape.slice(2) as [number, number]
  const data = new Uint8Array(images.length * width * height * 3)
  images.forEach((image, i) => {
    imageToRgb(image, data, i * width * height * 3)
  })
  return { width, height, count: images.length, data }
}
