import { z } from 'zod'
import { openTextToVideoXl } from '#app/pipelines/node/text-to-video-xl.ts'
import { textToVideoXl } from '#app/pipelines/text-to-video-xl.ts'
import { clipArgs, clipOptions, clipOutputs, clipRequest, foldersOf } from './animatediff.ts'
import { readSetup } from './animatediff-setup.ts'
import { inBase } from './checkpoint-parts.ts'
import type { RunPipelineCase } from './pipeline-case.ts'
import { sdxlArgs, sdxlRequest } from './stable-diffusion-xl.ts'

const argsSchema = z.strictObject({
  ...clipArgs,
  ...sdxlArgs,
  num_frames: z.int(),
  prompt: z.string(),
  prompt_2: z.string().nullish(),
  negative_prompt: z.string().nullish(),
  negative_prompt_2: z.string().nullish(),
})

/** AnimateDiffSDXLPipeline: latents after each step, and frames (1, F, 3, H, W). */
export const runAnimateDiffSdxl: RunPipelineCase = ({ folder, spec, inputs, sessions }) => {
  const args = argsSchema.parse(spec.args)
  const setup = readSetup(spec.setup, folder)
  const { motion_adapter: _, ...components } = spec.components
  const checkpoint = spec.checkpoint.replace(/ \(.*?\)/, '')
  const [, adapter] = foldersOf({ ...spec, checkpoint, components: {} }, folder)
  return inBase(folder, { checkpoint, components }, async (base) => {
    const opened = await openTextToVideoXl(sessions, base, adapter, { ...clipOptions(args), ...setup.options })
    await setup.opened(opened)
    const one = (text: string) => ({ first: text, later: [] })
    const { prompt, negative_prompt: negative = null } = args
    const common = clipRequest({ ...args, prompt: one(prompt), negative_prompt: one(negative ?? '') }, inputs)
    const request = {
      ...common,
      ...sdxlRequest(args),
      text: {
        prompt,
        prompt2: args.prompt_2 ?? null,
        negativePrompt: negative,
        negativePrompt2: args.negative_prompt_2 ?? null,
      },
      numFrames: args.num_frames,
      ...setup.request,
    }
    const events = textToVideoXl(opened.parts, request, () => args.freeu ?? null)
    return clipOutputs(events, args)
  })
}
