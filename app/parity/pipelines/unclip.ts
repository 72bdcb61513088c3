import { z } from 'zod'
import { openUnclip } from '#app/pipelines/node/unclip.ts'
import { unclip, type UnclipStep } from '#app/pipelines/unclip.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { locate } from '../case.ts'
import { drawsOf, inUnitRange, requirePlain, stacked, type RunPipelineCase } from './pipeline-case.ts'

const argsSchema = z.strictObject({
  prompt: z.union([z.string().transform((text) => [text]), z.array(z.string())]),
  num_images_per_prompt: z.int().default(1),
  prior_num_inference_steps: z.int(),
  decoder_num_inference_steps: z.int(),
  super_res_num_inference_steps: z.int(),
  prior_guidance_scale: z.number(),
  decoder_guidance_scale: z.number(),
})

const outputOf = {
  'prior-step': 'prior_latents',
  'decoder-step': 'decoder_latents',
  'super-res-step': 'super_res_latents',
} as const

/** UnCLIPPipeline: latents after each step of its three stages, and images (N, H, W, 3). */
export const runUnclip: RunPipelineCase = async ({ folder, spec, inputs, sessions }) => {
  requirePlain(spec)
  const args = argsSchema.parse(spec.args)
  const parts = await openUnclip(sessions, locate(folder, spec.checkpoint))
  const startOf = (name: string) => {
    const latents = inputs[name]
    return latents ? { latents: toFloat32(latents) } : {}
  }
  const steps: Record<string, Tensor<'float32'>[]> = { prior_latents: [], decoder_latents: [], super_res_latents: [] }
  const images: Tensor<'float32'>[] = []
  const take = (event: UnclipStep): void => {
    if (event.type === 'frame') images.push(event.image)
    else if (event.type !== 'note') steps[outputOf[event.type]]!.push(event.latents)
  }
  const request = {
    prompts: args.prompt,
    imagesPerPrompt: args.num_images_per_prompt,
    noise: drawsOf(inputs),
    prior: {
      numInferenceSteps: args.prior_num_inference_steps,
      guidanceScale: args.prior_guidance_scale,
      ...startOf('prior_latents'),
    },
    decoder: {
      numInferenceSteps: args.decoder_num_inference_steps,
      guidanceScale: args.decoder_guidance_scale,
      ...startOf('decoder_latents'),
    },
    superRes: { numInferenceSteps: args.super_res_num_inference_steps, ...startOf('super_res_latents') },
  }
  for await (const event of unclip(parts, request)) take(event)
  const latents = Object.entries(steps).map(([name, all]) => [name, stacked(all)])
  return {
    ...(Object.fromEntries(latents) as Record<string, Tensor<'float32'>>),
    images: channelsLast(inUnitRange(images)),
  }
}

/** (N, C, H, W) -> (N, H, W, C) */
function channelsLast({ shape, data }: Tensor<'float32'>): Tensor<'float32'> {
  const [count, channels, height, width] = shape as [number, number, number, number]
  const plane = height * width
  const values = data.map((_, i) => {
    const [pixel, c] = [Math.floor(i / channels), i % channels]
    return data[(Math.floor(pixel / plane) * channels + c) * plane + (pixel % plane)]!
  })
  return float32([count, height, width, channels], values)
}
