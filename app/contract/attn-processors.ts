import { z } from 'zod'

/**
 * An attention processor by diffusers' class name and arguments: data that can be saved, named and put in a recipe. `weights` is the
 * path of a Custom Diffusion file.
 */
export const attnProcessorSchema = z.discriminatedUnion('processor', [
  z.object({
    processor: z.enum([
      'AttnProcessor',
      'AttnProcessor2_0',
      'XFormersAttnProcessor',
      'FusedAttnProcessor2_0',
      'AttnAddedKVProcessor',
      'AttnAddedKVProcessor2_0',
      'XFormersAttnAddedKVProcessor',
    ]),
  }),
  z.object({
    processor: z.enum(['SlicedAttnProcessor', 'SlicedAttnAddedKVProcessor']),
    slice_size: z.int().min(1),
  }),
  z.object({
    processor: z.enum([
      'CustomDiffusionAttnProcessor',
      'CustomDiffusionAttnProcessor2_0',
      'CustomDiffusionXFormersAttnProcessor',
    ]),
    weights: z.string().min(1).optional(),
  }),
])

/** A processor for every layer, by diffusers' paths: "mid_block.attentions.0.transformer_blocks.0.attn1.processor". */
export const attnProcessorMapSchema = z.record(z.string(), attnProcessorSchema)
export type AttnProcessorMap = z.infer<typeof attnProcessorMapSchema>
