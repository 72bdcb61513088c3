import type { ImagePromptInputs } from './blocks/ip-adapter.ts'
import {
  clipTokens,
  conditionsFor,
  floats,
  latentSides,
  oneTimestep,
  type InputShape,
  type Sizes,
} from './input-shapes.ts'
import type { Inputs } from './model.ts'
import type { UNet2DConfig } from './unet-2d-config.ts'

export type AddedCondition = 'text_embeds' | 'time_ids' | 'image_embeds' | 'hint'

export type UNet2DInputs = Inputs<
  'sample' | 'timestep',
  | 'encoder_hidden_states'
  | 'class_labels'
  | 'timestep_cond'
  | `added_cond_kwargs.${AddedCondition}`
  | 'attention_mask'
  | 'encoder_attention_mask'
  | `down_block_additional_residuals.${number}`
  | `down_intrablock_additional_residuals.${number}`
  | 'mid_block_additional_residual'
  | 'freeu'
> &
  ImagePromptInputs

/** Width of the time embedding. */
export const timeDim = (config: UNet2DConfig): number =>
  config.time_embedding_dim ?? config.block_out_channels[0]! * (config.time_embedding_type === 'fourier' ? 2 : 4)

/** Without those that a control image becomes. */
export const sampleChannels = (config: UNet2DConfig): number =>
  config.in_channels - (config.addition_embed_type === 'image_hint' ? 4 : 0)

export function unet2dInputsFor(config: UNet2DConfig, sizes: Sizes) {
  const { batch, tokens = clipTokens } = sizes
  const [height, width] = latentSides(config, sizes)
  const conditions = `${config.encoder_hid_dim_type} ${config.addition_embed_type}`
  // The last is the middle's, and the first may be of a block that does not look at it.
  const context = [config.cross_attention_dim].flat().at(-1)!
  const image = conditions.includes('text_image') ? context : (config.encoder_hid_dim ?? context)
  const classes = classLabels(config, batch)
  return {
    sample: floats(batch, sampleChannels(config), height, width),
    timestep: oneTimestep,
    ...conditionsFor(config, batch),
    ...(conditions.includes('image') && { 'added_cond_kwargs.image_embeds': floats(batch, image) }),
    ...(config.addition_embed_type === 'text_image' && { 'added_cond_kwargs.text_embeds': floats(batch, context) }),
    ...(conditions.includes('hint') && { 'added_cond_kwargs.hint': floats(batch, 3, 8 * height, 8 * width) }),
    ...(config.encoder_hid_dim_type !== 'image_proj' && {
      encoder_hidden_states: floats(batch, tokens, config.encoder_hid_dim ?? context),
    }),
    ...(classes && { class_labels: classes }),
  }
}

function classLabels(config: UNet2DConfig, batch: number): InputShape | undefined {
  switch (config.class_embed_type) {
    case null:
    case undefined:
      return config.num_class_embeds == null ? undefined : { dtype: 'int64', shape: [batch] }
    case 'timestep':
      return floats(batch)
    case 'identity':
      return floats(batch, timeDim(config))
    case 'projection':
    case 'simple_projection':
      return floats(batch, config.projection_class_embeddings_input_dim ?? 0)
  }
}
