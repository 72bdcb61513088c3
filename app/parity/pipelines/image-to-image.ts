import { z } from 'zod'
import { imageToImage } from '#app/pipelines/image-to-image.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { dims, float32, type Tensor } from '#app/tensor/tensor.ts'
import type { RunPipelineCase } from './pipeline-case.ts'
import { runStills, stillArgs } from './stable-diffusion.ts'

const argsSchema = z.strictObject({ ...stillArgs, strength: z.number() })

/** StableDiffusionImg2ImgPipeline: latents after each step, and images (N, 3, H, W). */
export const runImageToImage: RunPipelineCase = (given) => {
  const args = argsSchema.parse(given.spec.args)
  return runStills(given, args, (parts, common) => {
    const image = preprocessed(toFloat32(given.inputs.image!), parts.vaeScaleFactor)
    const [, , height, width] = dims(image, 4)
    return imageToImage(parts, { ...common, width, height, image, strength: args.strength }, () => null)
  })
}

/**
 * An image (1, 3, H, W) in 0..1 as the reference prepares tensors: the nearest pixels at the multiples of `factor`
 * below its size, in -1..1. Source: diffusers/src/diffusers/image_processor.py@58eb52c VaeImageProcessor.preprocess.
 */
export function preprocessed(image: Tensor<'float32'>, factor: number): Tensor<'float32'> {
  const [count, channels, height, width] = dims(image, 4)
  const [toHeight, toWidth] = [height - (height % factor), width - (width % factor)]
  const shape = [count, channels, toHeight, toWidth]
  const values: number[] = []
  for (let plane = 0; plane < count * channels; plane++)
    for (let y = 0; y < toHeight; y++)
      for (let x = 0; x < toWidth; x++) {
        const row = plane * height + Math.floor((y * height) / toHeight)
        values.push(2 * image.data[row * width + Math.floor((x * width) / toWidth)]! - 1)
      }
  return float32(shape, values)
}
