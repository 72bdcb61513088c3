import { z } from 'zod'
import { freeUSchema } from '#app/contract/settings.ts'
import { openTextToVideoSd } from '#app/pipelines/node/text-to-video-sd.ts'
import { textToVideoSd } from '#app/pipelines/text-to-video-sd.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { locate } from '../case.ts'
import { drawsOf, inUnitRange, schedulerArgs, stacked, texts, type RunPipelineCase } from './pipeline-case.ts'

const argsSchema = z.strictObject({
  prompt: texts,
  negative_prompt: texts,
  guidance_scale: z.number(),
  num_inference_steps: z.int(),
  height: z.int(),
  width: z.int(),
  num_frames: z.int(),
  clip_skip: z.int().nullable().default(null),
  eta: z.number().default(0),
  scheduler: schedulerArgs,
})
const setupSchema = z.array(z.strictObject({ call: z.literal('enable_freeu'), args: freeUSchema })).max(1)

/** TextToVideoSDPipeline: latents after each step, and frames (N, F, 3, H, W). */
export const runTextToVideoSd: RunPipelineCase = async ({ folder, spec, inputs, sessions }) => {
  const args = argsSchema.parse(spec.args)
  const [freeu] = setupSchema.parse(spec.setup)
  const { parts } = await openTextToVideoSd(sessions, locate(folder, spec.checkpoint), {
    forwardChunking: null,
    eta: args.eta,
    ...args.scheduler,
  })
  const request = {
    prompts: args.prompt.map((prompt, i) => ({ prompt, negativePrompt: args.negative_prompt[i] ?? '' })),
    width: args.width,
    height: args.height,
    numFrames: args.num_frames,
    numInferenceSteps: args.num_inference_steps,
    guidanceScale: args.guidance_scale,
    seed: 0,
    clipSkip: args.clip_skip,
    noise: drawsOf(inputs),
    latents: toFloat32(inputs.latents!),
  }
  const steps: Tensor<'float32'>[] = []
  const images: Tensor<'float32'>[] = []
  for await (const event of textToVideoSd(parts, request, () => freeu?.args ?? null)) {
    if (event.type === 'step') steps.push(event.latents)
    if (event.type === 'frame') images.push(event.image)
  }
  const { shape, data } = inUnitRange(images)
  return {
    latents: stacked(steps),
    frames: float32([args.prompt.length, args.num_frames, ...shape.slice(1)], data),
  }
}
