import { toProblem } from '#app/contract/errors.ts'
import { classOf } from '#app/models/classes.ts'
import { parseConfig } from '#app/models/model.ts'
import { controlConfigSchema, imageEncoderConfigSchema, readConfig } from './configs.ts'
import type { Described } from './describe.ts'
import { weightsOf } from './folder-parts.ts'

const nothing = { bytes: 0, precision: '', needsMotionAdapter: false }

export async function describeControlNet(
  folder: string,
  className: 'ControlNetModel' | 'SparseControlNetModel',
  kind: 'controlnet' | 'sparse-controlnet',
): Promise<Described> {
  const known: Described = { ...nothing, kind, className }
  try {
    const config = await readConfig(controlConfigSchema, folder, 'config.json')
    known.blockOutChannels = config.block_out_channels
    known.crossAttentionDim = config.cross_attention_dim ?? (kind === 'controlnet' ? 1280 : 768)
    if (kind === 'sparse-controlnet') known.numFrames = config.motion_max_seq_length ?? 32
    Object.assign(known, await weightsOf(folder, ['.']))
    parseConfig(classOf(className)!, config)
    return known
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

export async function describeImageEncoder(folder: string): Promise<Described> {
  const className = 'CLIPVisionModelWithProjection'
  const known: Described = { ...nothing, kind: 'image-encoder', className }
  try {
    const config = await readConfig(imageEncoderConfigSchema, folder, 'config.json')
    known.nativeSize = config.image_size
    known.imageEmbeds = { image_embeds: config.projection_dim, hidden_states: config.hidden_size }
    return Object.assign(known, await weightsOf(folder, ['.']))
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}
