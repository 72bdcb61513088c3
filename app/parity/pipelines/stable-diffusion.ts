import { z } from 'zod'
import { openTextToImage } from '#app/pipelines/node/text-to-image.ts'
import { textToImage, type TextToImageParts, type TextToImageRequest } from '#app/pipelines/text-to-image.ts'
import type { DiffusionStep } from '#app/pipelines/diffusion.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import type { Tensors } from '../case.ts'
import { inBase } from './checkpoint-parts.ts'
import {
  drawsOf,
  inUnitRange,
  requirePlain,
  schedulerArgs,
  stacked,
  texts,
  type RunPipelineCase,
} from './pipeline-case.ts'

/** What the calls of the Stable Diffusion classes have in common. */
export const stillArgs = {
  prompt: texts,
  negative_prompt: texts.nullish(),
  guidance_scale: z.number(),
  num_inference_steps: z.int(),
  num_images_per_prompt: z.int().default(1),
  clip_skip: z.int().optional(),
  eta: z.number().default(0),
  scheduler: schedulerArgs,
}
const argsSchema = z.strictObject({
  ...stillArgs,
  height: z.int(),
  width: z.int(),
  guidance_rescale: z.number().default(0),
})

/** StableDiffusionPipeline: latents after each step, and images (N, 3, H, W). */
export const runStableDiffusion: RunPipelineCase = (given) => {
  const args = argsSchema.parse(given.spec.args)
  return runStills(given, args, (parts, common) => {
    const { width, height, guidance_rescale: guidanceRescale } = args
    return textToImage(parts, { ...common, width, height, guidanceRescale }, () => null)
  })
}

/** Runs `make` with the parts of a case and what all these classes are asked for. */
export async function runStills(
  { folder, spec, inputs, sessions }: Parameters<RunPipelineCase>[0],
  args: z.infer<z.ZodObject<typeof stillArgs>>,
  make: (
    parts: TextToImageParts,
    common: Omit<TextToImageRequest, 'width' | 'height'>,
  ) => AsyncGenerator<DiffusionStep, void>,
): Promise<Tensors> {
  requirePlain({ ...spec, components: {} })
  const options = { forwardChunking: null, eta: args.eta, ...args.scheduler }
  return inBase(folder, spec, async (base) => {
    const { parts } = await openTextToImage(sessions, base, options)
    const prompts = args.prompt.map((prompt, i) => ({ prompt, negativePrompt: args.negative_prompt?.[i] ?? '' }))
    return collected(make(parts, { ...commonRequest(args, inputs), prompts }))
  })
}

export const commonRequest = (args: z.infer<z.ZodObject<typeof stillArgs>>, inputs: Tensors) => ({
  imagesPerPrompt: args.num_images_per_prompt,
  numInferenceSteps: args.num_inference_steps,
  guidanceScale: args.guidance_scale,
  seed: 0,
  clipSkip: args.clip_skip ?? null,
  noise: drawsOf(inputs),
  ...(inputs.latents && { latents: toFloat32(inputs.latents) }),
})

/** What a run gives, by the reference's names. */
export async function collected(run: AsyncGenerator<DiffusionStep, void>): Promise<Tensors> {
  const steps: Tensor<'float32'>[] = []
  const images: Tensor<'float32'>[] = []
  for await (const event of run) {
    if (event.type === 'step') steps.push(event.latents)
    if (event.type === 'frame') images.push(event.image)
  }
  return { latents: stacked(steps), images: inUnitRange(images) }
}
