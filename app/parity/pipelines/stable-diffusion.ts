import { mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { openTextToImage } from '#app/pipelines/node/text-to-image.ts'
import { textToImage } from '#app/pipelines/text-to-image.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { locate } from '../case.ts'
import { drawsOf, inUnitRange, schedulerArgs, stacked, texts, type RunPipelineCase } from './pipeline-case.ts'

const argsSchema = z.strictObject({
  prompt: texts,
  negative_prompt: texts.nullish(),
  guidance_scale: z.number(),
  num_inference_steps: z.int(),
  height: z.int(),
  width: z.int(),
  num_images_per_prompt: z.int().default(1),
  guidance_rescale: z.number().default(0),
  clip_skip: z.int().optional(),
  eta: z.number().default(0),
  scheduler: schedulerArgs,
})

/** StableDiffusionPipeline: latents after each step, and images (N, 3, H, W). */
export const runStableDiffusion: RunPipelineCase = async ({ folder, spec, inputs, sessions }) => {
  const args = argsSchema.parse(spec.args)
  const base = locate(folder, spec.checkpoint.replace(/ \(.*$/, ''))
  const parts = z.record(z.string(), z.string()).parse(spec.components)
  const made = await withParts(
    base,
    Object.entries(parts).map(([name, path]) => [name, locate(folder, path)]),
  )
  try {
    const opened = await openTextToImage(sessions, made ?? base, {
      forwardChunking: null,
      eta: args.eta,
      ...args.scheduler,
    })
    const draws = drawsOf(inputs)
    const request = {
      prompts: args.prompt.map((prompt, i) => ({ prompt, negativePrompt: args.negative_prompt?.[i] ?? '' })),
      imagesPerPrompt: args.num_images_per_prompt,
      guidanceRescale: args.guidance_rescale,
      width: args.width,
      height: args.height,
      numInferenceSteps: args.num_inference_steps,
      guidanceScale: args.guidance_scale,
      seed: 0,
      clipSkip: args.clip_skip ?? null,
      noise: () => draws.next().value,
      ...(inputs.latents && { latents: toFloat32(inputs.latents) }),
    }
    const steps: Tensor<'float32'>[] = []
    const images: Tensor<'float32'>[] = []
    for await (const event of textToImage(opened.parts, request, () => null)) {
      if (event.type === 'step') steps.push(event.latents)
      if (event.type === 'frame') images.push(event.image)
    }
    return { latents: stacked(steps), images: inUnitRange(images) }
  } finally {
    if (made) await rm(made, { recursive: true })
  }
}

/** A folder like `base` with some parts from elsewhere; undefined where all are its own. */
async function withParts(base: string, parts: readonly (readonly [string, string])[]): Promise<string | undefined> {
  if (parts.length === 0) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'frameloom-parity-'))
  const replaced = new Map(parts)
  for (const name of await readdir(base))
    await symlink(await realpath(replaced.get(name) ?? join(base, name)), join(folder, name))
  return folder
}
