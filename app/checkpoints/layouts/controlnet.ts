import { ProblemError } from '#app/contract/errors.ts'
import { summarise, type Checkpoint } from '../folder.ts'
import { openWeightsFile } from '../open.ts'
import type { Weights } from '../weights.ts'
import { contentsOf } from './contents.ts'
import { downConfig, layersPerBlockOf, ldmUnetLayer, shapeIn, withLayerNames } from './ldm-unet.ts'
import { below, countOf } from './views.ts'

/**
 * Opens a ControlNet in one file, with LDM's keys (control_v11p_sd15_canny.pth and its like) or diffusers': names
 * become diffusers', the config comes from shapes; what they do not tell is as in the published ones.
 * Source: diffusers/src/diffusers/loaders/single_file_utils.py@58eb52c convert_controlnet_checkpoint.
 * Throws `bad-model` that says what the file is instead, or what it lacks.
 */
export async function openControlNetFile(path: string): Promise<Checkpoint> {
  const { weights: all } = await openWeightsFile(path)
  const { kind, name } = contentsOf(all)
  if (kind !== 'controlnet')
    throw new ProblemError('bad-model', `${path} holds ${name}; a ControlNet is needed.`, { file: path })
  try {
    const { weights, layersPerBlock } = withDiffusersNames(all)
    const files = new Set([...weights.values()].flatMap(({ source }) => ('file' in source ? [source.file] : [])))
    return {
      folder: path,
      config: configOf(weights, layersPerBlock),
      weights,
      files: files.size ? [...files] : [path],
      summary: summarise(weights),
    }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    const { code, message, ...more } = error.problem
    throw new ProblemError(code, `${path}: ${message}`, { ...more, file: path, cause: error })
  }
}

const prefix = 'control_model.'

function withDiffusersNames(all: Weights): { weights: Weights; layersPerBlock: number } {
  const keys = [...all.keys()]
  if (all.has('time_embedding.linear_1.weight'))
    return { weights: all, layersPerBlock: countOf(keys, /^down_blocks\.0\.resnets\.(\d+)\./) }
  const ldm = keys.some((key) => key.startsWith(prefix)) ? below(all, prefix) : all
  const layersPerBlock = layersPerBlockOf(ldm)
  const last = countOf([...ldm.keys()], /^input_hint_block\.(\d+)\./) - 1
  const weights = withLayerNames(ldm, (layer) => controlLayer(layer, last) ?? ldmUnetLayer(layer, layersPerBlock))
  return { weights, layersPerBlock }
}

/** `last`: the place of the last convolution of the picture's encoder; activations have the places between. */
function controlLayer(layer: string, last: number): string | undefined {
  const [, zero] = /^zero_convs\.(\d+)\.0$/.exec(layer) ?? []
  if (zero !== undefined) return `controlnet_down_blocks.${zero}`
  if (layer === 'middle_block_out.0') return 'controlnet_mid_block'
  const [, hint] = /^input_hint_block\.(\d+)$/.exec(layer) ?? []
  if (hint === undefined) return undefined
  const place = Number(hint)
  if (place === 0) return 'controlnet_cond_embedding.conv_in'
  return place === last ? 'controlnet_cond_embedding.conv_out' : `controlnet_cond_embedding.blocks.${place / 2 - 1}`
}

/** XL's size conditions: original, crop and target, two numbers each, embedded one by one in 256 channels. */
const sizeChannels = 256

function configOf(weights: Weights, layersPerBlock: number): Record<string, unknown> {
  const shape = shapeIn(weights)
  const { depthAt: _, ...down } = downConfig(weights, layersPerBlock)
  const embedding = 'controlnet_cond_embedding'
  const blocks = countOf([...weights.keys()], /^controlnet_cond_embedding\.blocks\.(\d+)\./)
  const widths = Array.from({ length: blocks / 2 }, (_, i) => shape(`${embedding}.blocks.${2 * i + 1}.weight`)[0]!)
  const added = weights.get('add_embedding.linear_1.weight')?.shape[1]
  return {
    _class_name: 'ControlNetModel',
    ...down,
    conditioning_channels: shape(`${embedding}.conv_in.weight`)[1]!,
    conditioning_embedding_out_channels: [shape(`${embedding}.conv_in.weight`)[0]!, ...widths],
    ...(added !== undefined && {
      addition_embed_type: 'text_time',
      addition_time_embed_dim: sizeChannels,
      projection_class_embeddings_input_dim: added,
    }),
  }
}
