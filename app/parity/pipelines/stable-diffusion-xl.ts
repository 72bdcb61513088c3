import { z } from 'zod'
import { openTextToImageXl } from '#app/pipelines/node/text-to-image-xl.ts'
import { textToImageXl } from '#app/pipelines/text-to-image-xl.ts'
import { inBase } from './checkpoint-parts.ts'
import { requirePlain, texts, type RunPipelineCase } from './pipeline-case.ts'
import { collected, commonRequest, stillArgs } from './stable-diffusion.ts'

const size = z.tuple([z.int(), z.int()]).transform(([height, width]) => ({ height, width }))
const corner = z.tuple([z.int(), z.int()]).transform(([top, left]) => ({ top, left }))
/** What the classes over Stable Diffusion XL are told beside the prompts. */
export const sdxlArgs = {
  original_size: size.optional(),
  crops_coords_top_left: corner.default({ top: 0, left: 0 }),
  target_size: size.optional(),
  negative_original_size: size.optional(),
  negative_crops_coords_top_left: corner.default({ top: 0, left: 0 }),
  negative_target_size: size.optional(),
  guidance_rescale: z.number().default(0),
  denoising_end: z.number().optional(),
}
const argsSchema = z.strictObject({
  ...stillArgs,
  ...sdxlArgs,
  height: z.int(),
  width: z.int(),
  prompt_2: texts.optional(),
  negative_prompt_2: texts.optional(),
})

export const sdxlRequest = (args: z.infer<z.ZodObject<typeof sdxlArgs>>) => ({
  originalSize: args.original_size ?? null,
  cropTopLeft: args.crops_coords_top_left,
  targetSize: args.target_size ?? null,
  negativeOriginalSize: args.negative_original_size ?? null,
  negativeCropTopLeft: args.negative_crops_coords_top_left,
  negativeTargetSize: args.negative_target_size ?? null,
  guidanceRescale: args.guidance_rescale,
  denoisingEnd: args.denoising_end ?? null,
})

/** StableDiffusionXLPipeline: latents after each step, and images (N, 3, H, W). */
export const runStableDiffusionXl: RunPipelineCase = ({ folder, spec, inputs, sessions }) => {
  requirePlain({ ...spec, components: {} })
  const args = argsSchema.parse(spec.args)
  return inBase(folder, spec, async (base) => {
    const options = { forwardChunking: null, eta: args.eta, ...args.scheduler }
    const { parts } = await openTextToImageXl(sessions, base, options)
    const request = {
      ...commonRequest(args, inputs),
      prompts: args.prompt.map((prompt, i) => ({
        prompt,
        prompt2: args.prompt_2?.[i] ?? null,
        negativePrompt: args.negative_prompt?.[i] ?? null,
        negativePrompt2: args.negative_prompt_2?.[i] ?? null,
      })),
      width: args.width,
      height: args.height,
      ...sdxlRequest(args),
    }
    return collected(textToImageXl(parts, request, () => null))
  })
}
