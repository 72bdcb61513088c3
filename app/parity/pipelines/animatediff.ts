import { join } from 'node:path'
import { z } from 'zod'
import { forwardChunkingSchema, freeUSchema } from '#app/contract/settings.ts'
import { openTextToVideo } from '#app/pipelines/node/text-to-video.ts'
import { textToVideo } from '#app/pipelines/text-to-video.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { locate } from '../case.ts'
import { inUnitRange, schedulerArgs, stacked, type RunPipelineCase } from './pipeline-case.ts'

const argsSchema = z.object({
  prompt: z.string(),
  negative_prompt: z.string().nullable(),
  guidance_scale: z.number(),
  num_inference_steps: z.int(),
  height: z.int(),
  width: z.int(),
  num_frames: z.int(),
  clip_skip: z.int().optional(),
  scheduler: schedulerArgs,
  freeu: freeUSchema.nullable(),
  chunking: z.object({ chunk_size: z.int(), dim: z.int() }).nullable(),
})

/** AnimateDiffPipeline: latents after each step, and frames (1, F, 3, H, W). */
export const runAnimateDiff: RunPipelineCase = async ({ folder, spec, inputs, sessions }) => {
  const args = argsSchema.parse(spec.args)
  const [model, adapter] = spec.checkpoint.split(' + ') as [string, string]
  const base = locate(folder, model)
  const { parts } = await openTextToVideo(sessions, base, join(base, '..', adapter), {
    forwardChunking:
      args.chunking && forwardChunkingSchema.parse({ chunkSize: args.chunking.chunk_size, dim: args.chunking.dim }),
    eta: 0,
    ...args.scheduler,
  })
  const steps: Tensor<'float32'>[] = []
  const images: Tensor<'float32'>[] = []
  const request = {
    prompt: args.prompt,
    negativePrompt: args.negative_prompt ?? '',
    width: args.width,
    height: args.height,
    numFrames: args.num_frames,
    numInferenceSteps: args.num_inference_steps,
    guidanceScale: args.guidance_scale,
    seed: 0,
    clipSkip: args.clip_skip ?? null,
    latents: toFloat32(inputs.latents!),
  }
  for await (const event of textToVideo(parts, request, () => args.freeu)) {
    if (event.type === 'step') steps.push(event.latents)
    if (event.type === 'frame') images.push(event.image)
  }
  const frames = inUnitRange(images)
  return { latents: stacked(steps), frames: float32([1, ...frames.shape], frames.data) }
}
