import { openCheckpoint } from '#app/checkpoints/folder.ts'
import type { AttnProcessor } from '#app/contract/attn-processors.ts'
import { pixartTransformer2d } from '#app/models/pixart-transformer-2d.ts'
import { priorTransformer } from '#app/models/prior-transformer.ts'
import { timesformerForVideoClassification } from '#app/models/timesformer.ts'
import { transformerTemporalModel } from '#app/models/transformer-temporal.ts'
import type { Model } from '#app/models/model.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { openUNetMotion } from '#app/loaded/unet-motion.ts'
import type { Tensors } from '#app/parity/case.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

export type Forward = (inputs: Tensors) => Promise<Tensor>

/** What a race of our side against itself may vary. */
export type Variant = {
  readonly precision?: 'float32' | 'int8'
  readonly exact?: boolean
  readonly prepack?: boolean
  readonly processor?: AttnProcessor
  readonly fuseQkv?: boolean
  readonly chunk?: readonly [chunkSize: number, dim: number]
}

type Open = (sessions: SessionCache, folder: string, variant: Variant) => Promise<Forward>

const timestep = float32([1], [500])

async function open<Config>(
  model: Model<Config>,
  sessions: SessionCache,
  folder: string,
): Promise<LoadedModel<Config>> {
  const { config, weights } = await openCheckpoint(folder)
  return new LoadedModel(model, config, weights, sessions)
}

/** The benchmark cases: a full-size checkpoint and one forward, by the names of reference.py. */
export const cases: Readonly<Record<string, Open>> = {
  async timesformer(sessions, folder) {
    const model = await open(timesformerForVideoClassification, sessions, folder)
    return async (inputs) => (await model.forward(inputs)).logits!
  },
  async 'unet-motion'(sessions, folder, { processor, fuseQkv, chunk }) {
    const model = await openUNetMotion(sessions, folder)
    if (processor) await model.setAttnProcessor(processor)
    if (fuseQkv) model.fuseQkvProjections()
    if (chunk) model.enableForwardChunking(...chunk)
    return async (inputs) => (await model.forward({ ...inputs, timestep })).sample!
  },
  async temporal(sessions, folder) {
    const model = await open(transformerTemporalModel, sessions, folder)
    return async (inputs) => (await model.forward(inputs, { num_frames: 16 })).sample!
  },
  async prior(sessions, folder) {
    const model = await open(priorTransformer, sessions, folder)
    return async (inputs) => (await model.forward({ ...inputs, timestep })).predicted_image_embedding!
  },
  async pixart(sessions, folder) {
    const model = await open(pixartTransformer2d, sessions, folder)
    return async (inputs) => (await model.forward(inputs)).sample!
  },
}
