import { join } from 'node:path'
import { z } from 'zod'
import { forwardChunkingSchema, freeUSchema } from '#app/contract/settings.ts'
import { textToVideo } from '#app/pipelines/text-to-video.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { openTextToVideo } from '#app/pipelines/node/text-to-video.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { compare, locate, readJson, readTensors, type Verdict } from './case.ts'
import { limitOn } from './on-provider.ts'

/** Agreement of whole pipelines, on frames in 0..1. */
const pipelineTolerance = 1e-3

const animatediffArgs = z.object({
  prompt: z.string(),
  negative_prompt: z.string().nullable(),
  guidance_scale: z.number(),
  num_inference_steps: z.int(),
  height: z.int(),
  width: z.int(),
  num_frames: z.int(),
  clip_skip: z.int().optional(),
  scheduler: z.looseObject({ class: z.string() }),
  freeu: freeUSchema.nullable(),
  chunking: z.object({ chunk_size: z.int(), dim: z.int() }).nullable(),
})
const schema = z.object({ pipeline: z.string(), checkpoint: z.string(), args: z.unknown() })

/** pipelines/NAME: latents after each step and the finished frames. */
export async function runPipelineCase(folder: string, sessions: SessionCache): Promise<Verdict> {
  const spec = schema.parse(await readJson(join(folder, 'case.json')))
  if (spec.pipeline !== 'animatediff') return { state: 'FAIL', figure: `the pipeline ${spec.pipeline} is not known` }
  const args = animatediffArgs.parse(spec.args)
  const inputs = await readTensors(join(folder, 'inputs.safetensors'))
  const [model, adapter] = spec.checkpoint.split(' + ') as [string, string]
  const { class: scheduler, ...schedulerConfig } = args.scheduler
  const base = locate(folder, model)
  const { parts } = await openTextToVideo(sessions, base, join(base, '..', adapter), {
    forwardChunking:
      args.chunking && forwardChunkingSchema.parse({ chunkSize: args.chunking.chunk_size, dim: args.chunking.dim }),
    scheduler,
    eta: 0,
    schedulerConfig: { ...blank, ...schedulerConfig },
  })
  const steps: Tensor<'float32'>[] = []
  const frames: Tensor<'float32'>[] = []
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
    if (event.type === 'frame') frames.push(event.image)
  }
  const actual = { latents: stacked(steps), frames: inUnitRange(frames, args) }
  const limit = limitOn(sessions.compute, pipelineTolerance)
  return compare(actual, await readTensors(join(folder, 'outputs.safetensors')), limit, { frames: 1 })
}

/** The case's scheduler stands alone: no key of the checkpoint's own. */
const blank = {
  beta_schedule: undefined,
  beta_start: undefined,
  beta_end: undefined,
  clip_sample: undefined,
  steps_offset: undefined,
  set_alpha_to_one: undefined,
  timestep_spacing: undefined,
}

function stacked(tensors: readonly Tensor<'float32'>[]): Tensor<'float32'> {
  const all = new Float32Array(tensors.length * tensors[0]!.data.length)
  tensors.forEach(({ data }, i) => {
    all.set(data, i * data.length)
  })
  return float32([tensors.length, ...tensors[0]!.shape], all)
}

/** Images (1, 3, H, W) in -1..1 as (1, F, 3, H, W) in 0..1. */
function inUnitRange(
  images: readonly Tensor<'float32'>[],
  { width, height }: { width: number; height: number },
): Tensor<'float32'> {
  const values = stacked(images).data.map((value) => Math.min(Math.max(value / 2 + 0.5, 0), 1))
  return float32([1, images.length, 3, height, width], values)
}
