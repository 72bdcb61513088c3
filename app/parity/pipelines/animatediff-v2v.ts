import { z } from 'zod'
import { openTextToVideo } from '#app/pipelines/node/text-to-video.ts'
import { videoToVideo } from '#app/pipelines/video-to-video.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { dims, float32, type Tensor } from '#app/tensor/tensor.ts'
import { clipArgs, clipOptions, clipOutputs, clipRequest, foldersOf } from './animatediff.ts'
import { controlArgs, openControls, withImagePrompts, type Opened } from './animatediff-conditioning.ts'
import { readSetup } from './animatediff-setup.ts'
import type { Tensors } from '../case.ts'
import type { RunPipelineCase } from './pipeline-case.ts'

const argsSchema = z.strictObject({
  ...clipArgs,
  strength: z.number().default(0.8),
  enforce_inference_steps: z.boolean().default(false),
  /** Stands among the inputs where it is not null. */
  video: z.null().optional(),
})

/** AnimateDiffVideoToVideoPipeline: latents after each step, and frames (1, F, 3, H, W). */
export const runAnimateDiffVideo: RunPipelineCase = (given) => runVideo(given, argsSchema.parse(given.spec.args))

const controlSchema = z.strictObject({ ...argsSchema.shape, ...controlArgs })

/** AnimateDiffVideoToVideoControlNetPipeline: the same outputs. */
export const runAnimateDiffVideoControlNet: RunPipelineCase = async (given) => {
  const args = controlSchema.parse(given.spec.args)
  return runVideo(given, args, await openControls(given, args))
}

async function runVideo(
  { folder, spec, inputs, sessions }: Parameters<RunPipelineCase>[0],
  args: z.infer<typeof argsSchema>,
  controls?: Opened,
): Promise<Tensors> {
  const setup = readSetup(spec.setup, folder)
  const [base, adapter] = foldersOf(spec, folder)
  const ipAdapters = setup.ipAdapters.map(({ file }) => file)
  const opened = await openTextToVideo(sessions, base, adapter, { ...clipOptions(args), ipAdapters, ...setup.options })
  await setup.opened(opened)
  const { parts, conditioning } = await withImagePrompts({ inputs, sessions }, setup, controls)
  const request = {
    ...clipRequest(args, inputs),
    video: inputs.video ? framesOf(toFloat32(inputs.video)) : [],
    strength: args.strength,
    conditioning,
    enforceInferenceSteps: args.enforce_inference_steps,
    ...(args.decode_chunk_size !== undefined && { chunkSize: args.decode_chunk_size }),
    ...setup.request,
  }
  const events = videoToVideo({ ...opened.parts, ...parts }, request, () => args.freeu ?? null)
  return clipOutputs(events, args)
}

/** Frames of (1, F, 3, H, W) in 0..1, each (1, 3, H, W) in -1..1. */
export function framesOf(video: Tensor<'float32'>): Tensor<'float32'>[] {
  const [, count, ...shape] = dims(video, 5)
  const size = video.data.length / count
  return Array.from({ length: count }, (_, i) =>
    float32(
      [1, ...shape],
      video.data.subarray(i * size, (i + 1) * size).map((value) => 2 * value - 1),
    ),
  )
}
