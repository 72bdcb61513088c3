import { z } from 'zod'
import { freeUSchema } from '#app/contract/settings.ts'
import type { DiffusionStep } from '#app/pipelines/diffusion.ts'
import { openTextToVideoSd } from '#app/pipelines/node/text-to-video-sd.ts'
import { textToVideoSd, videoToVideoSd } from '#app/pipelines/text-to-video-sd.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { locate, type Tensors } from '../case.ts'
import { framesOf } from './animatediff-v2v.ts'
import {
  drawsOf,
  inUnitRange,
  requirePlain,
  schedulerArgs,
  stacked,
  texts,
  type RunPipelineCase,
} from './pipeline-case.ts'

/** What the calls of both classes have in common. */
const callArgs = {
  guidance_scale: z.number(),
  num_inference_steps: z.int(),
  clip_skip: z.int().nullable().default(null),
  eta: z.number().default(0),
  scheduler: schedulerArgs,
}
type CallArgs = z.infer<z.ZodObject<typeof callArgs>>
const textArgs = z.strictObject({
  ...callArgs,
  prompt: texts,
  negative_prompt: texts,
  height: z.int(),
  width: z.int(),
  num_frames: z.int(),
})
const videoArgs = z.strictObject({ ...callArgs, prompt: z.string(), negative_prompt: z.string(), strength: z.number() })
const setupSchema = z.array(z.strictObject({ call: z.literal('enable_freeu'), args: freeUSchema })).max(1)

type Given = Parameters<RunPipelineCase>[0]

const open = ({ folder, spec, sessions }: Given, { eta, scheduler }: CallArgs) =>
  openTextToVideoSd(sessions, locate(folder, spec.checkpoint), { forwardChunking: null, eta, ...scheduler })

const commonRequest = (args: CallArgs, { inputs }: Given) => ({
  numInferenceSteps: args.num_inference_steps,
  guidanceScale: args.guidance_scale,
  seed: 0,
  clipSkip: args.clip_skip,
  noise: drawsOf(inputs),
})

/** TextToVideoSDPipeline: latents after each step, and frames (N, F, 3, H, W). */
export const runTextToVideoSd: RunPipelineCase = async (given) => {
  const args = textArgs.parse(given.spec.args)
  const [freeu] = setupSchema.parse(given.spec.setup)
  const { parts } = await open(given, args)
  const request = {
    ...commonRequest(args, given),
    prompts: args.prompt.map((prompt, i) => ({ prompt, negativePrompt: args.negative_prompt[i] ?? '' })),
    width: args.width,
    height: args.height,
    numFrames: args.num_frames,
    latents: toFloat32(given.inputs.latents!),
  }
  return collected(
    textToVideoSd(parts, request, () => freeu?.args ?? null),
    args.prompt.length,
  )
}

/** VideoToVideoSDPipeline: the same of one clip. */
export const runVideoToVideoSd: RunPipelineCase = async (given) => {
  requirePlain(given.spec)
  const args = videoArgs.parse(given.spec.args)
  const { parts } = await open(given, args)
  const video = framesOf(toFloat32(given.inputs.video!))
  const [height, width] = video[0]!.shape.slice(2) as [number, number]
  const request = {
    ...commonRequest(args, given),
    ...{ prompt: args.prompt, negativePrompt: args.negative_prompt, strength: args.strength },
    ...{ video, width, height },
  }
  return collected(
    videoToVideoSd(parts, request, () => null),
    1,
  )
}

async function collected(run: AsyncGenerator<DiffusionStep, void>, clips: number): Promise<Tensors> {
  const steps: Tensor<'float32'>[] = []
  const images: Tensor<'float32'>[] = []
  for await (const event of run) {
    if (event.type === 'step') steps.push(event.latents)
    if (event.type === 'frame') images.push(event.image)
  }
  const { shape, data } = inUnitRange(images)
  const frames = float32([clips, images.length / clips, ...shape.slice(1)], data)
  return { latents: stacked(steps), frames }
}
