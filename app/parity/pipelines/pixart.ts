import { z } from 'zod'
import { openPixArt } from '#app/pipelines/node/pixart.ts'
import { pixart, type PixArtRequest } from '#app/pipelines/pixart.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import type { Tensors } from '../case.ts'
import { inBase } from './checkpoint-parts.ts'
import { drawsOf, inUnitRange, schedulerArgs, stacked, texts, type RunPipelineCase } from './pipeline-case.ts'

const argsSchema = z.strictObject({
  prompt: texts.nullable(),
  negative_prompt: texts.nullish(),
  num_inference_steps: z.int(),
  timesteps: z.array(z.int()).optional(),
  guidance_scale: z.number(),
  num_images_per_prompt: z.int().default(1),
  height: z.int(),
  width: z.int(),
  eta: z.number().default(0),
  clean_caption: z.boolean(),
  use_resolution_binning: z.boolean(),
  max_sequence_length: z.int(),
  output_type: z.literal('latent').optional(),
  scheduler: schedulerArgs.optional(),
  // What clean_caption makes of the prompts: the latents tell whether it did.
  cleaned: z.array(z.string()).optional(),
})

/** PixArtAlphaPipeline and PixArtSigmaPipeline: latents after each step, and images (N, 3, H, W). */
export const runPixArt: RunPipelineCase = ({ folder, spec, inputs, sessions }) => {
  const args = argsSchema.parse(spec.args)
  z.tuple([], 'PixArt is compared without calls before the run').parse(spec.setup)
  return inBase(folder, spec, async (base) => {
    const { parts } = await openPixArt(sessions, base, {
      family: spec.pipeline === 'pixart-sigma' ? 'sigma' : 'alpha',
      eta: args.eta,
      scheduler: null,
      ...args.scheduler,
      ...(args.timesteps && { timesteps: args.timesteps }),
    })
    const request: PixArtRequest = {
      texts: textsOf(args, inputs),
      imagesPerPrompt: args.num_images_per_prompt,
      width: args.width,
      height: args.height,
      useResolutionBinning: args.use_resolution_binning,
      cleanCaption: args.clean_caption,
      maxSequenceLength: args.max_sequence_length,
      numInferenceSteps: args.num_inference_steps,
      timesteps: args.timesteps ?? null,
      guidanceScale: args.guidance_scale,
      seed: 0,
      noise: drawsOf(inputs),
      ...(inputs.latents && { latents: toFloat32(inputs.latents) }),
    }
    const steps: Tensor<'float32'>[] = []
    const images: Tensor<'float32'>[] = []
    for await (const event of pixart(parts, request, () => null)) {
      if (event.type === 'step') steps.push(event.latents)
      if (event.type === 'frame' && args.output_type === 'latent') break
      if (event.type === 'frame') images.push(event.image)
    }
    return { latents: stacked(steps), ...(images.length > 0 && { images: inUnitRange(images) }) }
  })
}

function textsOf({ prompt, negative_prompt }: z.infer<typeof argsSchema>, inputs: Tensors): PixArtRequest['texts'] {
  const given = (name: string): Tensor<'float32'> => toFloat32(inputs[name]!)
  if (prompt === null)
    return {
      prompts: { states: given('prompt_embeds'), mask: given('prompt_attention_mask') },
      negative: { states: given('negative_prompt_embeds'), mask: given('negative_prompt_attention_mask') },
    }
  // One negative prompt is that of all prompts.
  return prompt.map((text, i) => ({ prompt: text, negativePrompt: negative_prompt?.[i] ?? negative_prompt?.[0] ?? '' }))
}
