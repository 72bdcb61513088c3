import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '#app/checkpoints/json.ts'
import type { Weights } from '#app/checkpoints/weights.ts'
import type { Pixels } from '#app/contract/engine.ts'
import { frameLatents } from '../diffusion.ts'
import { imageToRgb, latentsToRgb, stableDiffusionRgb, stableDiffusionXlRgb, type LatentRgb } from '../pixels.ts'
import { float32, sizeOf, type Tensor } from '#app/tensor/tensor.ts'
import { previewPlan } from '../preview-plan.ts'
import type { Autoencoder } from './autoencoder.ts'
import type { Opened } from './stable-diffusion.ts'

/**
 * How clean latents, (1, C, F, h, w) of a clip or (1, C, h, w) of a still, are shown after a step that took `stepMs`;
 * undefined where they are not, to keep it short.
 */
export type Preview = (latents: Tensor<'float32'>, stepMs: number) => Promise<Pixels | undefined>

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
 * The preview that suits a model: a tiny decoder, where one is chosen; its own decoder where that is small; else a
 * linear map of latents to colours, from the folder's latent_rgb.json or Stable Diffusion's.
 */
export async function openPreview(
  folder: string,
  { autoencoder, checkpoints, parts }: Opened<{ readonly scalingFactor: number }>,
  chosen?: Autoencoder,
): Promise<Preview> {
  if (chosen ?? autoencoder.isTiny) return previewsWithinShare(chosen ?? autoencoder)
  if (isSmallDecoder(checkpoints.vae!.weights)) return (latents) => decodedClip(autoencoder, asClip(latents), 1)
  const map = await linearMap(folder, parts.scalingFactor)
  return (latents) => Promise.resolve(latentsToRgb(asClip(latents), map))
}

/** Previews by a decoder that take no more than a small share of each step, by what both are measured to take. */
export function previewsWithinShare(decoder: Autoencoder): Preview {
  let pictureMs = Infinity
  let waited = Infinity
  const timed = async (latents: Tensor<'float32'>, shrink: number): Promise<Pixels> => {
    const started = performance.now()
    const pixels = await decodedClip(decoder, latents, shrink)
    // The least counts: now and then a graph is opened on the way.
    pictureMs = Math.min(pictureMs, ((performance.now() - started) * shrink ** 2) / pixels.count)
    return pixels
  }
  return async (given, stepMs) => {
    const latents = asClip(given)
    const count = latents.shape[2]!
    if (pictureMs === Infinity) for (let i = 0; i < 2; i++) await timed(asClip(frameLatents(latents, 0, 1)), 4)
    const { shrink, every } = previewPlan(pictureMs, count, stepMs)
    if (++waited < every) return undefined
    waited = 0
    return timed(latents, shrink)
  }
}

/** Each frame becomes bytes at once: of a long clip a step would else hold all frames as floats. */
async function decodedClip(
  { decode, scalingFactor }: Autoencoder,
  latents: Tensor<'float32'>,
  shrink: number,
): Promise<Pixels> {
  const count = latents.shape[2]!
  const frame = async (index: number): Promise<Pixels> =>
    pixelsOf([await decode(shrunk(frameLatents(latents, index, 1 / scalingFactor), shrink))])
  const first = await frame(0)
  const data = new Uint8Array(count * first.data.length)
  for (let index = 0; index < count; index++)
    data.set((index === 0 ? first : await frame(index)).data, index * first.data.length)
  return { ...first, count, data }
}

/** Means of squares of `by` latents, of (1, C, h, w); what is left over at the borders is left out. */
function shrunk({ shape, data }: Tensor<'float32'>, by: number): Tensor<'float32'> {
  const [, channels, height, width] = shape as [number, number, number, number]
  const side = Math.min(by, height, width)
  const [rows, columns] = [Math.floor(height / side), Math.floor(width / side)]
  const small = new Float32Array(channels * rows * columns)
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < rows * side; y++)
      for (let x = 0; x < columns * side; x++) {
        const at = (c * rows + Math.floor(y / side)) * columns + Math.floor(x / side)
        small[at] = small[at]! + data[(c * height + y) * width + x]! / side ** 2
      }
  return float32([1, channels, rows, columns], small)
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
