import { z } from 'zod'
import { decodeEmbeddings, type DecoderRequest } from '#app/pipelines/kandinsky-decoder.ts'
import { mixEmbeddings, type MixItem } from '#app/pipelines/mix.ts'
import { openDecoder } from '#app/pipelines/node/kandinsky-decoder.ts'
import { openPrior, type OpenPrior } from '#app/pipelines/node/prior.ts'
import { schedulersOf } from '#app/pipelines/node/scheduler.ts'
import { sampleEmbeddings, type Embeddings, type PriorStep } from '#app/pipelines/prior.ts'
import { readSchedulerConfig } from '#app/schedulers/config.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import { locate, type Tensors } from '../case.ts'
import { drawsOf, inUnitRange, requirePlain, schedulerArgs, stacked, type RunPipelineCase } from './pipeline-case.ts'

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())])
const shared = { num_inference_steps: z.int(), guidance_scale: z.number() }

const priorArgs = z.strictObject({
  ...shared,
  prompt: texts,
  negative_prompt: texts.nullish(),
  num_images_per_prompt: z.int().default(1),
})
const interpolateArgs = z.strictObject({
  ...shared,
  call: z.literal('interpolate'),
  weights: z.array(z.number()),
  /** null: item N is the input images_and_prompts.N. */
  images_and_prompts: z.array(z.string().nullable()),
  negative_prior_prompt: z.string().nullish(),
  negative_prompt: z.string().default(''),
})

/** KandinskyV22PriorPipeline and KandinskyPriorPipeline: latents after each step of all runs, and the embeddings. */
export const runKandinskyPrior: RunPipelineCase = async ({ folder, spec, inputs, sessions }) => {
  requirePlain(spec)
  const args = z.union([interpolateArgs, priorArgs]).parse(spec.args)
  const parts = await openPrior(sessions, locate(folder, spec.checkpoint))
  const request = {
    numInferenceSteps: args.num_inference_steps,
    guidanceScale: args.guidance_scale,
    noise: priorDraws(inputs),
    latents: toFloat32(inputs.latents!),
  }
  const steps: Tensor<'float32'>[] = []
  const ended = async (run: AsyncGenerator<PriorStep, Embeddings>): Promise<Embeddings> => {
    let next = await run.next()
    for (; !next.done; next = await run.next()) if (next.value.type === 'prior-step') steps.push(next.value.latents)
    return next.value
  }
  let made: Embeddings
  if ('call' in args) {
    const negativePriorPrompt = args.negative_prior_prompt ?? null
    const items = args.images_and_prompts.map((text, i) => ({ text, picture: inputs[`images_and_prompts.${i}`] }))
    const mixed = await Promise.all(items.map((item, i) => mixItem(parts, item, args.weights[i]!)))
    made = await ended(
      mixEmbeddings(parts, mixed, { ...request, negativePriorPrompt, negativePrompt: args.negative_prompt }),
    )
    // The reference samples what it then has no use for: the embedding of no text.
    if (args.negative_prompt === '' && negativePriorPrompt === null)
      await ended(sampleEmbeddings(parts, [''], { ...request, negativePrompts: null }))
  } else {
    const more = { negativePrompts: args.negative_prompt ?? null, imagesPerPrompt: args.num_images_per_prompt }
    made = await ended(sampleEmbeddings(parts, args.prompt, { ...request, ...more }))
  }
  return {
    image_embeds: made.imageEmbeds,
    negative_image_embeds: made.negativeImageEmbeds,
    latents: stacked(steps),
  }
}

async function mixItem(
  parts: OpenPrior,
  { text, picture }: { text: string | null; picture: Tensor | undefined },
  weight: number,
): Promise<MixItem> {
  if (text !== null) return { text, weight }
  if (!picture) throw new Error('an item of the mix is neither a text nor a picture')
  const [height, width] = picture.shape as [number, number]
  // Bytes stand for a picture; floats are what the image encoder takes.
  const pixels =
    picture.dtype === 'uint8'
      ? parts.pixelValues({ width, height, data: picture.data as Uint8Array })
      : toFloat32(picture)
  return { embedding: await parts.encodeImage(pixels), weight }
}

/** The oldest cases have all draws in one tensor. */
function priorDraws({ noise, ...inputs }: Tensors): () => Float32Array {
  const apart = noise?.shape[0] ? Array.from({ length: noise.shape[0] }, (_, i) => rows(noise, i, i + 1)) : []
  return drawsOf({ ...inputs, ...Object.fromEntries(apart.map((one, i) => [`noise.${i}`, one])) })
}

const decoderArgs = z.strictObject({
  ...shared,
  height: z.int(),
  width: z.int(),
  num_images_per_prompt: z.int().default(1),
  strength: z.number().optional(),
  scheduler: schedulerArgs.optional(),
})

/** KandinskyV22Pipeline: latents after each step, and images (N, 3, H, W) as the MoVQ gives them. */
export const runKandinskyDecoder: RunPipelineCase = async (given) => {
  const args = decoderArgs.omit({ strength: true }).parse(given.spec.args)
  const { latents, images } = await decoded(given, args, {
    ...(given.inputs.latents && { latents: toFloat32(given.inputs.latents) }),
  })
  const all = stacked(images)
  return { latents, images: float32([images.length, ...all.shape.slice(2)], all.data) }
}

/**
 * KandinskyV22Img2ImgPipeline: latents after each step, and images in 0..1. The reference hands the asked width and
 * height on in the wrong order; here a run gives what it was asked for, so it is asked for the other.
 */
export const runKandinskyImg2Img: RunPipelineCase = async (given) => {
  const args = decoderArgs.required({ strength: true }).parse(given.spec.args)
  const asked = { ...args, width: args.height, height: args.width }
  const image = resizedNearest(toFloat32(given.inputs.image!), asked)
  const centred = float32(
    image.shape,
    image.data.map((value) => 2 * value - 1),
  )
  const { latents, images } = await decoded(given, asked, { init: { image: centred, strength: args.strength } })
  return { latents, images: inUnitRange(images) }
}

async function decoded(
  { folder, spec, inputs, sessions }: Parameters<RunPipelineCase>[0],
  args: z.infer<typeof decoderArgs>,
  from: Pick<DecoderRequest, 'latents' | 'init'>,
): Promise<{ latents: Tensor<'float32'>; images: Tensor<'float32'>[] }> {
  requirePlain(spec)
  const opened = await openDecoder(sessions, locate(folder, spec.checkpoint))
  const { scheduler, schedulerConfig = {} } = args.scheduler ?? {}
  // A case has its scheduler's whole config, in the place of the folder's.
  const own = readSchedulerConfig(JSON.stringify(schedulerConfig))
  const parts = scheduler ? { ...opened, createScheduler: schedulersOf(own, { scheduler, eta: 0 }) } : opened
  const embeddings = {
    imageEmbeds: toFloat32(inputs.image_embeds!),
    negativeImageEmbeds: toFloat32(inputs.negative_image_embeds!),
  }
  const request = {
    width: args.width,
    height: args.height,
    numInferenceSteps: args.num_inference_steps,
    guidanceScale: args.guidance_scale,
    imagesPerPrompt: args.num_images_per_prompt,
    noise: drawsOf(inputs),
    ...from,
  }
  const steps: Tensor<'float32'>[] = []
  const images: Tensor<'float32'>[] = []
  for await (const event of decodeEmbeddings(parts, embeddings, request)) {
    if (event.type === 'step') steps.push(event.latents)
    else images.push(event.image)
  }
  return { latents: stacked(steps), images }
}

/** As torch's `interpolate` picks pixels: floor(i * in / out). */
function resizedNearest({ shape, data }: Tensor<'float32'>, to: { width: number; height: number }): Tensor<'float32'> {
  const [count, channels, height, width] = shape as [number, number, number, number]
  const values = new Float32Array(count * channels * to.height * to.width)
  let at = 0
  for (let plane = 0; plane < count * channels; plane++)
    for (let y = 0; y < to.height; y++)
      for (let x = 0; x < to.width; x++) {
        const row = Math.floor((y * height) / to.height)
        values[at++] = data[(plane * height + row) * width + Math.floor((x * width) / to.width)]!
      }
  return float32([count, channels, to.height, to.width], values)
}
