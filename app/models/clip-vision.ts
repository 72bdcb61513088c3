import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import {
  add,
  concat,
  conv2d,
  expand,
  layerNorm,
  linear,
  reshape,
  slice,
  transpose,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims } from '#app/tensor/tensor.ts'
import { clipEncoderLayer } from './blocks/clip-encoder.ts'
import { floats } from './input-shapes.ts'
import { imageDims, required, type Inputs, type Model, type Outputs } from './model.ts'

/**
 * config.json of a CLIPVisionModelWithProjection, with the reference's defaults (transformers CLIPVisionConfig, 5.23).
 */
const clipVisionConfig = z.object({
  hidden_size: z.int().default(768),
  intermediate_size: z.int().default(3072),
  projection_dim: z.int().default(512),
  num_hidden_layers: z.int().default(12),
  num_attention_heads: z.int().default(12),
  num_channels: z.int().default(3),
  image_size: z.int().default(224),
  patch_size: z.int().default(32),
  hidden_act: z.string().default('quick_gelu'),
  layer_norm_eps: z.number().default(1e-5),
})
export type ClipVisionConfig = z.infer<typeof clipVisionConfig>

const clipVisionArgs = z.strictObject({ output_hidden_states: z.boolean().default(false) })

/**
 * CLIP's image encoder with its projection. Paper: arXiv 2103.00020. Reference:
 * transformers/models/clip/modeling_clip.py, 5.23.
 *
 * N images, P patches, D width. Input: pixel_values (N, 3, image_size, image_size). Outputs: image_embeds
 * (N, projection_dim), last_hidden_state (N, 1 + P, D); with the argument output_hidden_states also hidden_states.N.
 */
export const clipVisionModelWithProjection = {
  className: 'CLIPVisionModelWithProjection',
  config: clipVisionConfig,
  methods: {
    forward: {
      build: forward,
      args: clipVisionArgs,
      inputsFor: ({ num_channels, image_size }, { batch }) => ({
        pixel_values: floats(batch, num_channels, image_size, image_size),
      }),
    },
  },
  ignoredKeys: (key) => key.endsWith('embeddings.position_ids'),
} satisfies Model<ClipVisionConfig>

function forward(
  root: Scope,
  config: ClipVisionConfig,
  inputs: Inputs<'pixel_values'>,
  args: z.infer<typeof clipVisionArgs>,
): Outputs<'image_embeds' | 'last_hidden_state', `hidden_states.${number}`> {
  const pixels = required(inputs, 'pixel_values')
  const [images, , height, width] = imageDims(pixels, 'pixel_values', config.num_channels, 'num_channels')
  const { hidden_size: dim, image_size: size, layer_norm_eps: epsilon } = config
  if (height !== size || width !== size)
    throw new ProblemError(
      'bad-input',
      `pixel_values is ${height} high and ${width} wide where the model takes ${size} by ${size} (image_size)`,
      { field: 'pixel_values' },
    )

  // Published files come with and without this prefix.
  const scope = root.has('vision_model.embeddings.class_embedding') ? root.at('vision_model') : root
  let x = layerNorm(scope.at('pre_layrnorm'), embeddings(scope.at('embeddings'), pixels, config), { epsilon })
  const states = [x]
  for (let i = 0; i < config.num_hidden_layers; i++) {
    x = clipEncoderLayer(scope.at('encoder', 'layers', i), x, config)
    states.push(x)
  }
  const classToken = reshape(slice(x, 1, 0, 1), [images, dim])
  const pooled = layerNorm(scope.at('post_layernorm'), classToken, { epsilon })
  const all = args.output_hidden_states
    ? Object.fromEntries(states.map((state, i) => [`hidden_states.${i}`, state]))
    : {}
  return {
    image_embeds: linear(root.at('visual_projection'), pooled, config.projection_dim, { bias: false }),
    last_hidden_state: x,
    ...all,
  }
}

/** (N, 3, H, W) -> (N, 1 + P, D): a class token and the patches, with their positions. */
function embeddings(scope: Scope, pixels: Value, { hidden_size: dim, patch_size: patch }: ClipVisionConfig): Value {
  const patches = conv2d(scope.at('patch_embedding'), pixels, dim, { kernel: patch, stride: patch, bias: false })
  const [images, , rows, columns] = dims(patches, 4)
  const count = rows * columns
  const tokens = transpose(reshape(patches, [images, dim, count]), [0, 2, 1])
  const classToken = expand(reshape(scope.weight('class_embedding', [dim]), [1, 1, dim]), [images, 1, dim])
  return add(concat([classToken, tokens], 1), scope.at('position_embedding').weight('weight', [count + 1, dim]))
}
