import { join } from 'node:path'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { readJson } from '#app/checkpoints/json.ts'
import type { Compute } from '#app/contract/compute.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { parseClipImageConfig, preprocessFrames } from '#app/media/preprocess.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { clipTextModelWithProjection } from '#app/models/clip-text.ts'
import { clipVisionModelWithProjection } from '#app/models/clip-vision.ts'
import { priorTransformer } from '#app/models/prior-transformer.ts'
import type { OnQuantizing } from '#app/runtime/quantize/quantize-cache.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, reshaped, type Tensor } from '#app/tensor/tensor.ts'
import { openClipTokenizer } from '#app/tokenizers/node/clip-tokenizer.ts'
import type { PriorParts } from '../prior.ts'
import { openScheduler } from './scheduler.ts'

type Floats = Tensor<'float32'>

export type OpenOptions = {
  /** As the session cache has it without. */
  readonly compute?: Compute | undefined
  readonly onQuantizing?: OnQuantizing | undefined
}

export type OpenPrior = PriorParts & {
  /** The embedding (1, E) of a black picture. */
  readonly zeroEmbedding: () => Promise<Floats>
  /** pixel_values (1, 3, S, S) -> the picture's embedding (1, E). */
  readonly encodeImage: (pixelValues: Floats) => Promise<Floats>
  /** A picture as the image encoder takes it, (1, 3, S, S). */
  readonly pixelValues: (picture: RgbFrame) => Floats
}

/**
 * Opens the folder of a Kandinsky prior: prior, text_encoder, tokenizer, scheduler, image_encoder, image_processor.
 * Throws bad-model naming the file or key.
 */
export async function openPrior(sessions: SessionCache, folder: string, options: OpenOptions = {}): Promise<OpenPrior> {
  const parts = await openPriorParts(sessions, folder, options, 'scheduler')
  const { config, weights } = await openCheckpoint(join(folder, 'image_encoder'))
  const encoder = new LoadedModel(clipVisionModelWithProjection, config, weights, sessions)
  encoder.computeWith({ ...sessions.compute, ...options.compute }, options.onQuantizing)
  const file = join(folder, 'image_processor', 'preprocessor_config.json')
  const processor = parseClipImageConfig(await readJson(file), file)
  const encodeImage = async (pixels: Floats): Promise<Floats> =>
    toFloat32((await encoder.run('forward', { pixel_values: pixels })).image_embeds)
  const size = encoder.config.image_size
  let zero: Promise<Floats> | undefined
  return {
    ...parts,
    encodeImage,
    zeroEmbedding: () => (zero ??= encodeImage(float32([1, 3, size, size], new Float32Array(3 * size * size)))),
    pixelValues(picture) {
      const frames = preprocessFrames([picture], processor)
      return reshaped(frames, frames.shape.slice(1))
    },
  }
}

/** The parts of a prior that read text alone, of a folder that calls its scheduler so. */
export async function openPriorParts(
  sessions: SessionCache,
  folder: string,
  options: OpenOptions,
  scheduler: string,
): Promise<PriorParts> {
  const [text, prior] = (await Promise.all(
    ['text_encoder', 'prior'].map((name) => openCheckpoint(join(folder, name))),
  )) as [Awaited<ReturnType<typeof openCheckpoint>>, Awaited<ReturnType<typeof openCheckpoint>>]
  const textEncoder = new LoadedModel(clipTextModelWithProjection, text.config, text.weights, sessions)
  const transformer = new LoadedModel(priorTransformer, prior.config, prior.weights, sessions)
  for (const model of [textEncoder, transformer])
    model.computeWith({ ...sessions.compute, ...options.compute }, options.onQuantizing)
  return {
    tokenizer: await openClipTokenizer(join(folder, 'tokenizer')),
    async encodeText(ids) {
      const { text_embeds, last_hidden_state } = await textEncoder.run('forward', { input_ids: ids })
      return { embeds: toFloat32(text_embeds), states: toFloat32(last_hidden_state) }
    },
    async predict({ hiddenStates, timestep, embeds, states, mask }) {
      const inputs = {
        hidden_states: hiddenStates,
        timestep,
        proj_embedding: embeds,
        encoder_hidden_states: states,
        attention_mask: mask,
      }
      return toFloat32((await transformer.run('forward', inputs)).predicted_image_embedding)
    },
    async postProcess(latents) {
      return toFloat32((await transformer.run('post_process_latents', { hidden_states: latents })).latents)
    },
    createScheduler: await openScheduler(join(folder, scheduler)),
    className: priorTransformer.className,
    embeddingDim: transformer.config.embedding_dim,
  }
}
