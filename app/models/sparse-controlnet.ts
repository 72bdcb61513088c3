import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { concat, conv2d, reshape, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { dims, sameShape, showShape } from '#app/tensor/tensor.ts'
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
import { timestepEmbedding, timestepMlp } from './blocks/embeddings.ts'
import { clipTokens, floats, latentSides, oneTimestep, type Sizes } from './input-shapes.ts'
import { inputDims, required, timestepOf, type Inputs, type Model } from './model.ts'
import { levels, unetMotionConfig, unetMotionFields } from './unet-motion-config.ts'
import { checkedContext, downBlock, midBlock, type Context } from './unet-motion.ts'

const fields = unetMotionFields
  .pick({
    in_channels: true,
    down_block_types: true,
    block_out_channels: true,
    layers_per_block: true,
    downsample_padding: true,
    mid_block_scale_factor: true,
    act_fn: true,
    norm_num_groups: true,
    norm_eps: true,
    transformer_layers_per_block: true,
    transformer_layers_per_mid_block: true,
    temporal_transformer_layers_per_block: true,
    use_linear_projection: true,
    motion_max_seq_length: true,
    motion_num_attention_heads: true,
  })
  .extend({
    ...controlFields,
    conditioning_channels: z.int().default(4),
    flip_sin_to_cos: z.boolean().default(true),
    freq_shift: z.number().default(0),
    cross_attention_dim: z.union([z.int(), z.array(z.int())]).default(768),
    attention_head_dim: z.union([z.int(), z.array(z.int())]).default(8),
    num_attention_heads: z.union([z.int(), z.array(z.int())]).nullish(),
    only_cross_attention: z.literal(false, 'only false is supported').default(false),
    resnet_time_scale_shift: z.literal('default', 'only "default" is supported').default('default'),
    concat_conditioning_mask: z.boolean().default(true),
    use_simplified_condition_embedding: z.boolean().default(true),
  })

const ofUnet = unetMotionConfig.parse({})

/** config.json of a SparseControlNetModel, with the reference's defaults, as that of the motion UNet it is half of. */
export const sparseControlNetConfig = fields.transform((config) => ({
  ...ofUnet,
  ...config,
  num_attention_heads: config.num_attention_heads || config.attention_head_dim,
  up_block_types: config.down_block_types.map(() => 'UpBlockMotion' as const),
  use_motion_mid_block: false,
}))
export type SparseControlNetConfig = z.infer<typeof sparseControlNetConfig>

/**
 * SparseControlNetModel (SparseCtrl): pictures for some of a clip's frames as what is added to the states of a motion
 * UNet. Paper: arXiv 2311.16933. Reference:
 * diffusers/src/diffusers/models/controlnets/controlnet_sparsectrl.py@58eb52c.
 *
 * B videos, F frames, C channels, H height, W width of the latents, L tokens, D their width. Inputs: sample
 * (B, C, F, H, W), of which only the shape counts: the network sees zeros in its place; timestep (1) or (B);
 * encoder_hidden_states (B, L, D) or (B * F, L, D); controlnet_cond (b, c, F, H * f, W * f) with b dividing B, zeros in
 * frames without a picture: latents with the simplified embedding (f 1), else pixels in 0..1; conditioning_mask
 * (b, 1, F, H * f, W * f), ones in frames with a picture, where the config asks for it; optional: conditioning_scale
 * (1), attention_mask. Argument: guess_mode. Outputs: down_block_res_samples.N and mid_block_res_sample
 * (B * F, C', H', W').
 */
export const sparseControlNetModel = {
  className: 'SparseControlNetModel',
  config: sparseControlNetConfig,
  methods: { forward: { build: forward, args: controlArgs, inputsFor, ignoredInputs: ['sample'] } },
} satisfies Model<SparseControlNetConfig>

type ForwardInputs = Inputs<
  'sample' | 'timestep' | 'encoder_hidden_states' | 'controlnet_cond',
  'conditioning_mask' | 'attention_mask'
> &
  ControlInputs

const factorOf = (config: SparseControlNetConfig): number =>
  config.use_simplified_condition_embedding ? 1 : conditioningFactor(config.conditioning_embedding_out_channels)

function inputsFor(config: SparseControlNetConfig, sizes: Sizes) {
  const { batch, numFrames, tokens = clipTokens } = sizes
  const [height, width] = latentSides(config, sizes)
  const picture = [numFrames, height * factorOf(config), width * factorOf(config)]
  return {
    sample: floats(batch, config.in_channels, numFrames, height, width),
    timestep: oneTimestep,
    encoder_hidden_states: floats(batch, tokens, [config.cross_attention_dim].flat().at(-1)!),
    controlnet_cond: floats(batch, config.conditioning_channels, ...picture),
    ...(config.concat_conditioning_mask && { conditioning_mask: floats(batch, 1, ...picture) }),
  }
}

function forward(
  scope: Scope,
  config: SparseControlNetConfig,
  inputs: ForwardInputs,
  args: z.infer<typeof controlArgs>,
): Residuals {
  const { down, mid } = levels(config)
  const sample = required(inputs, 'sample')
  const [batch, channels, numFrames, height, width] = inputDims(sample, 'sample', axes)
  if (channels !== config.in_channels)
    refuse('sample', `has ${channels} channels where the model takes ${config.in_channels} (in_channels)`)
  if (numFrames > config.motion_max_seq_length)
    refuse('sample', `has ${numFrames} frames; this SparseCtrl takes at most ${config.motion_max_seq_length}`)
  const first = config.block_out_channels[0]!

  // 1. time
  const { flip_sin_to_cos: flip, freq_shift: shift } = config
  const steps = timestepEmbedding(timestepOf(inputs, batch), first, { flip, shift })
  const context: Context = {
    config,
    numFrames,
    temb: timestepMlp(scope.at('time_embedding'), steps, first * 4, { act: config.act_fn }),
    encoderHiddenStates: checkedContext(inputs, batch, numFrames),
    mask: inputs.attention_mask && attentionBias(inputs.attention_mask, 'attention_mask'),
    freeu: undefined,
    doubleSelfAttention: false,
  }

  // 2. pre-process: what conv_in makes of zeros is its bias
  scope.at('conv_in').weight('weight', [first, config.in_channels, 3, 3])
  const ofZeros = reshape(scope.at('conv_in').weight('bias', [first]), [1, first, 1, 1])
  const blank = scope.builder.emit('Expand', [
    ofZeros,
    scope.builder.integers([batch * numFrames, first, height, width]),
  ])
  const picture = required(inputs, 'controlnet_cond')
  const cond = embedded(scope.at('controlnet_cond_embedding'), config, asFrames(conditionOf(config, inputs)))
  let x = withCondition(blank, cond, picture)

  // 3. down
  const skips = [x]
  for (const [i, level] of down.entries()) {
    skips.push(...downBlock(scope.at('down_blocks', i), x, level, context, i === down.length - 1))
    x = skips.at(-1)!
  }

  // 4. mid
  const middle = midBlock(scope.at('mid_block'), x, mid, context)

  // 5. and 6. residuals, scaled
  return controlResiduals(scope, skips, middle, inputs, {
    guessMode: args.guess_mode,
    pool: config.global_pool_conditions,
  })
}

const axes = ['batch', 'channel', 'num_frames', 'height', 'width'] as const
const refuse = (field: string, why: string): never => {
  throw new ProblemError('bad-input', `${field} ${why}`, { field })
}

/** controlnet_cond with the mask beside its channels, (b, c or c + 1, F, H, W). */
function conditionOf(config: SparseControlNetConfig, inputs: ForwardInputs): Value {
  const given = required(inputs, 'controlnet_cond')
  const [rows, channels, ...rest] = inputDims(given, 'controlnet_cond', axes)
  if (channels !== config.conditioning_channels)
    refuse(
      'controlnet_cond',
      `has ${channels} channels where the model takes ${config.conditioning_channels} (conditioning_channels)`,
    )
  const cond = inChannelOrder(given, config.controlnet_conditioning_channel_order)
  if (!config.concat_conditioning_mask) return cond
  const mask = required(inputs, 'conditioning_mask', 'config.json has concat_conditioning_mask')
  if (!sameShape(mask.shape, [rows, 1, ...rest]))
    refuse(
      'conditioning_mask',
      `has shape ${showShape(mask.shape)}; beside this controlnet_cond it must be ${showShape([rows, 1, ...rest])}`,
    )
  return concat([cond, mask], 1)
}

/** (b, c, F, H, W) -> (b * F, c, H, W) */
function asFrames(x: Value): Value {
  const [rows, channels, numFrames, height, width] = dims(x, 5)
  return reshape(transpose(x, [0, 2, 1, 3, 4]), [rows * numFrames, channels, height, width])
}

function embedded(scope: Scope, config: SparseControlNetConfig, cond: Value): Value {
  const out = config.block_out_channels[0]!
  return config.use_simplified_condition_embedding
    ? conv2d(scope, cond, out, { padding: 1 })
    : conditioningEmbedding(scope, cond, config.conditioning_embedding_out_channels, out)
}
