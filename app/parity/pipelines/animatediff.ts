import { join } from 'node:path'
import { z } from 'zod'
import { forwardChunkingSchema, freeUSchema } from '#app/contract/settings.ts'
import type { DiffusionStep } from '#app/pipelines/diffusion.ts'
import { openTextToVideo, type MotionOptions } from '#app/pipelines/node/text-to-video.ts'
import { textToVideo, type TextToVideoRequest } from '#app/pipelines/text-to-video.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { locate, type Tensors } from '../case.ts'
import {
  controlArgs,
  openControls,
  openSparse,
  sparseArgs,
  withImagePrompts,
  type Opened,
} from './animatediff-conditioning.ts'
import { readSetup } from './animatediff-setup.ts'
import { drawsOf, inUnitRange, schedulerArgs, shufflesOf, stacked, type RunPipelineCase } from './pipeline-case.ts'

/** One prompt, or several by the frame from which they hold. */
const framePrompts = z.union([
  z.string().transform((prompt) => ({ first: prompt, later: [] })),
  z.record(z.string(), z.string()).transform(({ 0: first = '', ...later }) => ({
    first,
    later: Object.entries(later).map(([frame, prompt]) => ({ frame: Number(frame), prompt })),
  })),
])

/** What all classes of AnimateDiff pipelines are called with. */
export const clipArgs = {
  prompt: framePrompts,
  negative_prompt: framePrompts.nullish(),
  guidance_scale: z.number(),
  num_inference_steps: z.int(),
  height: z.int(),
  width: z.int(),
  eta: z.number().default(0),
  clip_skip: z.int().nullish(),
  num_videos_per_prompt: z.literal(1).optional(),
  /** How many frames the reference decodes at once. Here it is one: the numbers are the same. */
  decode_chunk_size: z.int().positive().optional(),
  output_type: z.enum(['pt', 'np', 'latent']).default('pt'),
  scheduler: schedulerArgs,
  freeu: freeUSchema.nullish(),
  chunking: z.object({ chunk_size: z.int(), dim: z.int() }).nullish(),
}

const argsSchema = z.strictObject({
  ...clipArgs,
  num_frames: z.int(),
  cross_attention_kwargs: z.strictObject({ scale: z.number() }).optional(),
})

/** AnimateDiffPipeline: latents after each step, and frames (1, F, 3, H, W). */
export const runAnimateDiff: RunPipelineCase = (given) => {
  const args = argsSchema.parse(given.spec.args)
  return runClip(given, args)
}

const controlSchema = z.strictObject({ ...clipArgs, num_frames: z.int(), ...controlArgs })

/** AnimateDiffControlNetPipeline: the same outputs. */
export const runAnimateDiffControlNet: RunPipelineCase = async (given) => {
  const args = controlSchema.parse(given.spec.args)
  return runClip(given, args, await openControls(given, args))
}

const sparseSchema = z.strictObject({ ...clipArgs, num_frames: z.int(), ...sparseArgs })

/** AnimateDiffSparseControlNetPipeline: the same outputs. */
export const runAnimateDiffSparseCtrl: RunPipelineCase = async (given) => {
  const args = sparseSchema.parse(given.spec.args)
  return runClip(given, args, await openSparse(given, args))
}

async function runClip(
  { folder, spec, inputs, sessions }: Parameters<RunPipelineCase>[0],
  args: z.infer<typeof argsSchema>,
  controls?: Opened,
): Promise<Tensors> {
  const setup = readSetup(spec.setup, folder)
  const [base, adapter] = foldersOf(spec, folder)
  const ipAdapters = setup.ipAdapters.map(({ file }) => file)
  const opened = await openTextToVideo(sessions, base, adapter, { ...clipOptions(args), ipAdapters, ...setup.options })
  await setup.opened(opened)
  if (args.cross_attention_kwargs) opened.loras.scaleAll(args.cross_attention_kwargs.scale)
  const { parts, conditioning } = await withImagePrompts({ inputs, sessions }, setup, controls)
  const request = { ...clipRequest(args, inputs), numFrames: args.num_frames, conditioning, ...setup.request }
  const events = textToVideo({ ...opened.parts, ...parts }, request, () => args.freeu ?? null)
  return clipOutputs(events, args)
}

type Spec = Parameters<RunPipelineCase>[0]['spec']
type ClipArgs = z.infer<z.ZodObject<typeof clipArgs>>

export const clipOptions = ({
  chunking,
  eta,
  scheduler,
}: Pick<ClipArgs, 'chunking' | 'eta' | 'scheduler'>): MotionOptions => ({
  forwardChunking: chunking ? forwardChunkingSchema.parse({ chunkSize: chunking.chunk_size, dim: chunking.dim }) : null,
  eta,
  ...scheduler,
})

export const clipRequest = (args: ClipArgs, inputs: Tensors): Omit<TextToVideoRequest, 'numFrames'> => ({
  prompt: args.prompt.first,
  laterPrompts: args.prompt.later,
  negativePrompt: args.negative_prompt?.first ?? '',
  laterNegativePrompts: args.negative_prompt?.later ?? [],
  width: args.width,
  height: args.height,
  numInferenceSteps: args.num_inference_steps,
  guidanceScale: args.guidance_scale,
  seed: 0,
  clipSkip: args.clip_skip ?? null,
  ...(inputs.latents && { latents: toFloat32(inputs.latents) }),
  noise: drawsOf(inputs),
  shuffle: shufflesOf(inputs),
})

/** The folders of `pipelines/checkpoints/BASE + ADAPTER`; more of them are control networks, which it names too. */
export function foldersOf({ checkpoint, components }: Spec, folder: string): [base: string, adapter: string] {
  const [base, adapter, ...more] = checkpoint.split(' + ')
  const { motion_adapter: _, controlnet = [], ...others } = components
  if (!base || !adapter || more.length !== [controlnet].flat().length || Object.keys(others).length > 0)
    throw new Error(`${checkpoint} is not a model and a motion adapter, or parts of it are elsewhere`)
  return [locate(folder, base), locate(folder, join(base, '..', adapter))]
}

/** Runs to the end: what the reference calls `latents` and, unless they are all that is wanted, `frames`. */
export async function clipOutputs(
  events: AsyncIterable<DiffusionStep>,
  { output_type: wanted }: { output_type: string },
): Promise<Tensors> {
  const steps: Tensor<'float32'>[] = []
  const images: Tensor<'float32'>[] = []
  for await (const event of events) {
    if (event.type === 'step') steps.push(event.latents)
    if (event.type === 'frame' && wanted === 'latent') break
    if (event.type === 'frame') images.push(event.image)
  }
  if (images.length === 0) return { latents: stacked(steps) }
  const frames = inUnitRange(images)
  return { latents: stacked(steps), frames: float32([1, ...frames.shape], frames.data) }
}
