import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { readConfig } from './configs.ts'
import type { Described } from './describe.ts'

const priorConfig = z.looseObject({ embedding_dim: z.int().min(1) })
const visionConfig = z.looseObject({ projection_dim: z.int().min(1).default(512) })
const decoderConfig = z.looseObject({
  encoder_hid_dim: z.int().min(1),
  encoder_hid_dim_type: z.literal('image_proj', 'only image_proj is read from an embedding alone'),
  addition_embed_type: z.literal('image', 'only image is read from an embedding alone'),
  sample_size: z.int().min(1).nullish(),
})
const autoencoderConfig = z.looseObject({ block_out_channels: z.array(z.int()).min(1) })
const sizedConfig = z.looseObject({ sample_size: z.int().min(1) })

/** What the folder of a prior says of itself. Throws bad-model naming the file and key. */
export async function describePrior(folder: string): Promise<Partial<Described>> {
  const { embedding_dim: embeddingDim } = await readConfig(priorConfig, folder, 'prior', 'config.json')
  const { projection_dim } = await readConfig(visionConfig, folder, 'image_encoder', 'config.json')
  if (projection_dim !== embeddingDim)
    throw new ProblemError(
      'bad-model',
      `${folder}: the prior makes embeddings of ${embeddingDim} numbers, and the image encoder of ${projection_dim} (projection_dim). They do not belong together.`,
      { file: folder, field: 'projection_dim' },
    )
  return { embeddingDim }
}

/** The same of a decoder, whose latents have a picture's side divided by a factor, and once more. */
export async function describeDecoder(folder: string): Promise<Partial<Described>> {
  const unet = await readConfig(decoderConfig, folder, 'unet', 'config.json')
  const movq = await readConfig(autoencoderConfig, folder, 'movq', 'config.json')
  const factor = 2 ** (movq.block_out_channels.length - 1)
  return {
    embeddingDim: unet.encoder_hid_dim,
    sizeMultiple: factor ** 2,
    ...(unet.sample_size != null && { nativeSize: unet.sample_size * factor }),
  }
}

/** The same of prior, decoder and super-resolution together, which make pictures of one size. */
export async function describeUnclip(folder: string): Promise<Partial<Described>> {
  const { sample_size: nativeSize } = await readConfig(sizedConfig, folder, 'super_res_first', 'config.json')
  return { nativeSize }
}
