import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { conv2d, type Scope, type Value } from '#app/graph/index.ts'
import { showShape } from '#app/tensor/tensor.ts'
import { attentionBias } from './blocks/attention-mask.ts'
import {
  conditioningEmbedding,
  conditioningFactor,
  controlArgs,
  controlFields,
  controlResiduals,
  inChannelOrder,
  withCondition,
  type ControlInputs,
  type Residuals,
} from './blocks/controlnet.ts'
import { floats, type Sizes } from './input-shapes.ts'
import { imageDims, required, type Inputs, type Model } from './model.ts'
import { levels2d, unet2dConfig, type UNet2DConfig } from './unet-2d-config.ts'
import { downBlock, midBlock, type Context } from './unet-2d-condition.ts'
import { conditionEmbedding } from './unet-2d-embeddings.ts'
import { unet2dInputsFor, type UNet2DInputs } from './unet-2d-inputs.ts'

const headCount = z.union([z.int(), z.array(z.int())])
const unsupported = z.null('is not supported').optional()

const fields = unet2dConfig
  .pick({
    in_channels: true,
    flip_sin_to_cos: true,
    freq_shift: true,
    only_cross_attention: true,
    block_out_channels: true,
    layers_per_block: true,
    downsample_padding: true,
    mid_block_scale_factor: true,
    act_fn: true,
    norm_num_groups: true,
    norm_eps: true,
    cross_attention_dim: true,
    transformer_layers_per_block: true,
    attention_head_dim: true,
    use_linear_projection: true,
    num_class_embeds: true,
    addition_embed_type_num_heads: true,
    addition_time_embed_dim: true,
    projection_class_embeddings_input_dim: true,
    resnet_time_scale_shift: true,
  })
  .extend({
    ...controlFields,
    conditioning_channels: z.int().default(3),
    down_block_types: z
      .array(z.enum(['DownBlock2D', 'CrossAttnDownBlock2D']))
      .default(['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']),
    mid_block_type: z.enum(['UNetMidBlock2DCrossAttn', 'UNetMidBlock2D']).default('UNetMidBlock2DCrossAttn'),
    num_attention_heads: headCount.nullish(),
    class_embed_type: z.enum(['timestep', 'identity', 'projection']).nullish(),
    addition_embed_type: z.enum(['text', 'text_time'], 'only "text" and "text_time" are supported').nullish(),
    encoder_hid_dim: unsupported,
    encoder_hid_dim_type: unsupported,
  })

const ofUnet = unet2dConfig.parse({})

/** config.json of a ControlNetModel, with the reference's defaults, as that of the UNet that it is half a copy of. */
export const controlNetConfig = fields.transform(({ num_attention_heads: heads, ...config }) => ({
  ...ofUnet,
  ...config,
  num_attention_heads: null,
  attention_head_dim: heads || config.attention_head_dim,
  up_block_types: config.down_block_types.map(() => 'UpBlock2D' as const),
}))
export type ControlNetConfig = z.infer<typeof controlNetConfig>

/**
 * ControlNetModel: a picture of depth, edges or poses as what is added to the states of a Stable Diffusion UNet. Paper:
 * arXiv 2302.05543. Reference: diffusers/src/diffusers/models/controlnets/controlnet.py@58eb52c.
 *
 * B rows, C channels, H height, W width of the latents, L tokens, D their width, f the factor of the picture's encoder.
 * Inputs: sample (B, C, H, W); timestep (1) or (B); encoder_hidden_states (B, L, D), or fewer rows that serve several
 * in turn; controlnet_cond (b, c, H * f, W * f) in 0..1, b dividing B; optional: conditioning_scale (1),
 * attention_mask, and class_labels and added_cond_kwargs as the config asks. Argument: guess_mode. Outputs:
 * down_block_res_samples.N and mid_block_res_sample, each of the shape of the UNet's state, or (B, C', 1, 1) with
 * global_pool_conditions.
 */
export const controlNetModel = {
  className: 'ControlNetModel',
  config: controlNetConfig,
  methods: {
    forward: { build: forward, args: controlArgs, inputsFor, ignoredInputs: ['encoder_hidden_states'] },
  },
} satisfies Model<ControlNetConfig>

type ForwardInputs = UNet2DInputs & Inputs<'controlnet_cond'> & ControlInputs

function inputsFor(config: ControlNetConfig, sizes: Sizes) {
  const inputs = unet2dInputsFor(config, sizes)
  const [batch, , height, width] = inputs.sample.shape as [number, number, number, number]
  const factor = conditioningFactor(config.conditioning_embedding_out_channels)
  return {
    ...inputs,
    controlnet_cond: floats(batch, config.conditioning_channels, height * factor, width * factor),
  }
}

function forward(
  scope: Scope,
  config: ControlNetConfig,
  inputs: ForwardInputs,
  args: z.infer<typeof controlArgs>,
): Residuals {
  const { down, mid } = levels2d(config)
  const sample = required(inputs, 'sample')
  const [batch] = imageDims(sample, 'sample', config.in_channels, 'in_channels')
  const given = required(inputs, 'controlnet_cond')
  imageDims(given, 'controlnet_cond', config.conditioning_channels, 'conditioning_channels')

  // 1. time
  const states = inputs.encoder_hidden_states
  const context: Context = {
    config: config satisfies UNet2DConfig,
    temb: conditionEmbedding(scope, config, inputs, batch),
    encoderHiddenStates: states,
    contextRows: contextRows(states, batch),
    mask: inputs.attention_mask && attentionBias(inputs.attention_mask, 'attention_mask'),
    encoderMask: undefined,
    freeu: undefined,
  }

  // 2. pre-process
  const cond = conditioningEmbedding(
    scope.at('controlnet_cond_embedding'),
    inChannelOrder(given, config.controlnet_conditioning_channel_order),
    config.conditioning_embedding_out_channels,
    config.block_out_channels[0]!,
  )
  const latents = conv2d(scope.at('conv_in'), sample, config.block_out_channels[0]!, { padding: 1 })
  let x = withCondition(latents, cond, given)

  // 3. down
  const skips = [x]
  for (const [i, level] of down.entries()) {
    skips.push(...downBlock(scope.at('down_blocks', i), x, level, context, i === down.length - 1, undefined))
    x = skips.at(-1)!
  }

  // 4. mid
  const middle = midBlock(scope.at('mid_block'), x, mid!, context)

  // 5. and 6. residuals, scaled
  return controlResiduals(scope, skips, middle, inputs, {
    guessMode: args.guess_mode,
    pool: config.global_pool_conditions,
  })
}

/** Rows of text that the states have, each for a run of the sample's. Throws bad-input where they do not fit. */
function contextRows(states: Value | undefined, batch: number): number {
  const rows = states?.shape[0] ?? batch
  if (states && batch % rows === 0) return rows
  if (!states) return batch
  throw new ProblemError(
    'bad-input',
    `encoder_hidden_states has shape ${showShape(states.shape)}; its rows must be ${batch} or divide that`,
    { field: 'encoder_hidden_states' },
  )
}
