import { z } from 'zod'
import { add, concat, expand, layerNorm, linear, reshape, transpose, type Scope, type Value } from '#app/graph/index.ts'
import { clipTokens, floats, type Sizes } from './input-shapes.ts'
import { inputDims, required, type Inputs, type Model, type Outputs } from './model.ts'

/** config.json of an UnCLIPTextProjModel, with the reference's defaults. */
const textProjConfig = z.object({
  clip_extra_context_tokens: z.int().default(4),
  clip_embeddings_dim: z.int().default(768),
  time_embed_dim: z.int(),
  cross_attention_dim: z.int(),
})
export type UnclipTextProjConfig = z.infer<typeof textProjConfig>

const textProjArgs = z.strictObject({ do_classifier_free_guidance: z.boolean().default(false) })

/**
 * UnCLIPTextProjModel: what the decoder of unCLIP is conditioned on, out of text and an image's embedding. Paper:
 * arXiv 2204.06125, section 2.1. Reference: diffusers/src/diffusers/pipelines/deprecated/unclip/text_proj.py@58eb52c.
 *
 * B rows, N images, E clip_embeddings_dim, L tokens, T extra tokens. Inputs: image_embeddings (N, E); prompt_embeds
 * (B, E); text_encoder_hidden_states (B, L, E). With the argument do_classifier_free_guidance B is 2 N: rows without
 * the prompt, whose image is a learned embedding, then those with it; without it B is N. Outputs:
 * text_encoder_hidden_states (B, T + L, cross_attention_dim), additive_clip_time_embeddings (B, time_embed_dim).
 */
export const unclipTextProjModel = {
  className: 'UnCLIPTextProjModel',
  config: textProjConfig,
  methods: {
    forward: {
      build: forward,
      args: textProjArgs,
      inputsFor,
      argsFor: () => ({ do_classifier_free_guidance: true }),
    },
  },
} satisfies Model<UnclipTextProjConfig>

function inputsFor({ clip_embeddings_dim: dim }: UnclipTextProjConfig, { batch, tokens = clipTokens }: Sizes) {
  return {
    image_embeddings: floats(batch, dim),
    prompt_embeds: floats(2 * batch, dim),
    text_encoder_hidden_states: floats(2 * batch, tokens, dim),
  }
}

function forward(
  scope: Scope,
  config: UnclipTextProjConfig,
  inputs: Inputs<'image_embeddings' | 'prompt_embeds' | 'text_encoder_hidden_states'>,
  args: z.infer<typeof textProjArgs>,
): Outputs<'text_encoder_hidden_states' | 'additive_clip_time_embeddings'> {
  const { clip_embeddings_dim: dim, clip_extra_context_tokens: extra, cross_attention_dim: context } = config
  const given = required(inputs, 'image_embeddings')
  const [images] = inputDims(given, 'image_embeddings', ['batch', 'clip_embeddings_dim'])
  const prompts = required(inputs, 'prompt_embeds')
  const [rows] = inputDims(prompts, 'prompt_embeds', ['batch', 'clip_embeddings_dim'])

  const embeddings = args.do_classifier_free_guidance ? concat([unconditioned(scope, images, dim), given], 0) : given
  const time = add(
    linear(scope.at('clip_image_embeddings_project_to_time_embeddings'), embeddings, config.time_embed_dim),
    linear(scope.at('embedding_proj'), prompts, config.time_embed_dim),
  )

  const tokens = linear(scope.at('clip_extra_context_tokens_proj'), embeddings, extra * context)
  const ofImage = transpose(reshape(tokens, [rows, context, extra]), [0, 2, 1])
  const text = linear(scope.at('encoder_hidden_states_proj'), required(inputs, 'text_encoder_hidden_states'), context)
  const ofText = layerNorm(scope.at('text_encoder_hidden_states_norm'), text)
  return { text_encoder_hidden_states: concat([ofImage, ofText], 1), additive_clip_time_embeddings: time }
}

/** The learned embedding that stands for no image, once for each: (N, E). */
const unconditioned = (scope: Scope, images: number, dim: number): Value =>
  expand(reshape(scope.weight('learned_classifier_free_guidance_embeddings', [dim]), [1, dim]), [images, dim])
