import type { DType, Shape } from '#app/tensor/tensor.ts'

export type InputShape = { readonly dtype: DType; readonly shape: Shape }
export type InputShapes = Readonly<Record<string, InputShape>>

/** What inputs are asked for at. A model takes what it has a use for, and no less than it can work on. */
export type Sizes = {
  readonly batch: number
  readonly numFrames: number
  /** Of the latents. */
  readonly height: number
  readonly width: number
  /** Of the text; without it as many as the model's pipeline gives. */
  readonly tokens?: number
}

/** They reach every layer of every model. */
export const smallest: Sizes = { batch: 1, numFrames: 1, height: 1, width: 1, tokens: 1 }

/** What CLIP's text encoders give. */
export const clipTokens = 77

export const floats = (...shape: number[]): InputShape => ({ dtype: 'float32', shape })
export const ids = (...shape: number[]): InputShape => ({ dtype: 'int64', shape })
export const oneTimestep = floats(1)

/** Height and width of latents of which the lowest level still has a pixel. */
export function latentSides({ block_out_channels: levels }: Levels, { height, width }: Sizes): [number, number] {
  const least = 2 ** (levels.length - 1)
  return [Math.max(height, least), Math.max(width, least)]
}

/** Height and width of the images that an autoencoder makes such latents of. */
export function imageSides({ block_out_channels: levels }: Levels, { height, width }: Sizes): [number, number] {
  const factor = 2 ** (levels.length - 1)
  return [height * factor, width * factor]
}

type Levels = { readonly block_out_channels: readonly number[] }

type TimeConditions = {
  readonly addition_embed_type?: string | null | undefined
  readonly addition_time_embed_dim?: number | null | undefined
  readonly projection_class_embeddings_input_dim?: number | null | undefined
  readonly time_cond_proj_dim?: number | null | undefined
}

/** Six numbers say how large a picture is, how it was cropped and how large it shall be (arXiv 2307.01952). */
const timeIds = 6

/** What a UNet is told beside the time: a guidance embedding, and Stable Diffusion XL's pooled text and sizes. */
export function conditionsFor(config: TimeConditions, batch: number) {
  const pooled = (config.projection_class_embeddings_input_dim ?? 0) - timeIds * (config.addition_time_embed_dim ?? 0)
  return {
    ...(config.time_cond_proj_dim != null && { timestep_cond: floats(batch, config.time_cond_proj_dim) }),
    ...(config.addition_embed_type === 'text_time' && {
      'added_cond_kwargs.text_embeds': floats(batch, pooled),
      'added_cond_kwargs.time_ids': floats(batch, timeIds),
    }),
  }
}
