import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { sizeOf } from '#app/tensor/tensor.ts'
import { summarise, type Checkpoint } from '../folder.ts'
import { openWeightsFile } from '../open.ts'
import { readWeight } from '../read.ts'
import type { Weight, Weights } from '../weights.ts'
import { clipTextEncoder, openClipTextEncoder, type TextEncoder } from './clip-text.ts'
import { contentsOf } from './contents.ts'
import type { Family } from './family.ts'
import { ldmUnet } from './ldm-unet.ts'
import { ldmVae } from './ldm-vae.ts'
import { below } from './views.ts'

export type PartName = 'unet' | 'vae' | 'text_encoder' | 'text_encoder_2'
export type PredictionType = 'epsilon' | 'v_prediction'

/**
 * A whole Stable Diffusion in one file, seen as the model folders that diffusers would make of it. No weight has been
 * copied.
 */
export type SingleFile = {
  readonly file: string
  readonly family: Family
  /** Files published as a UNet alone lack the others. */
  readonly parts: Readonly<Partial<Record<PartName, Checkpoint>>>
  readonly predictionType: PredictionType
  /** As scheduler_config.json of the family's own repository. */
  readonly schedulerConfig: Readonly<Record<string, unknown>>
  /** Keys that no part takes: averaged copies, training state, and layers that are never run. */
  readonly unused: readonly string[]
}

/**
 * Opens a Stable Diffusion 1.x, 2.x or XL checkpoint with LDM's keys (.safetensors, .ckpt). Names become diffusers',
 * configs come from shapes; what shapes do not tell is as in the published models.
 * Throws `bad-model` or `unsupported` that says what the file is instead.
 */
export async function openSingleFile(path: string): Promise<SingleFile> {
  const { weights } = await openWeightsFile(path)
  const contents = contentsOf(weights)
  if (contents.kind !== 'stable-diffusion')
    throw new ProblemError(
      contents.kind === 'unsupported' ? 'unsupported' : 'bad-model',
      `${path} holds ${contents.name}; a Stable Diffusion 1.x, 2.x or XL checkpoint is needed.`,
      { file: path },
    )
  try {
    return await split(path, weights)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    const { code, message, ...more } = error.problem
    throw new ProblemError(code, `${path}: ${message}`, { ...more, file: path, cause: error })
  }
}

/** A part of an opened file. Throws `bad-model` when the file came without it. */
export function partOf({ file, parts }: SingleFile, name: PartName): Checkpoint {
  const part = parts[name]
  if (part) return part
  throw new ProblemError(
    'bad-model',
    `${file} holds no ${partNames[name]}. Take the whole checkpoint, not a version that was cut down to its UNet.`,
    { file },
  )
}

const partNames: Readonly<Record<PartName, string>> = {
  unet: 'UNet',
  vae: 'autoencoder (VAE)',
  text_encoder: 'text encoder',
  text_encoder_2: 'second text encoder',
}

async function split(file: string, all: Weights): Promise<SingleFile> {
  const family = familyOf(all)
  const used = new Set<string>()
  const take = (prefix: string): Map<string, Weight> | undefined => {
    const found = below(all, prefix)
    for (const key of found.keys()) used.add(prefix + key)
    return found.size ? found : undefined
  }
  const checkpoint = (part: { weights: Weights; config: Record<string, unknown> }): Checkpoint => ({
    folder: file,
    config: part.config,
    weights: part.weights,
    files: filesOf(part.weights, file),
    summary: summarise(part.weights),
  })
  const encoder = async (prefix: string, open: (found: Weights) => TextEncoder | Promise<TextEncoder>) => {
    const found = take(prefix)
    if (!found) return undefined
    const opened = await open(found)
    for (const key of opened.unused) used.delete(prefix + key)
    return checkpoint(opened)
  }

  const ldm = ldmUnet(take('model.diffusion_model.')!, family)
  const ldmVaeWeights = take('first_stage_model.') ?? take('vae.')
  const [first, second] = await textEncoders[family](encoder)
  const predictionType = await predictionTypeOf(file, all, ldm.weights, family)
  // Those of 2.x that predict noise were trained at 512 pixels, the others at 768.
  const small = family === 'sd2' && predictionType === 'epsilon' ? { sample_size: 64 } : {}
  const unet = checkpoint({ ...ldm, config: { ...ldm.config, ...small } })
  return {
    file,
    family,
    parts: {
      unet,
      ...(ldmVaeWeights && { vae: checkpoint(ldmVae(ldmVaeWeights, family)) }),
      ...(first && { text_encoder: first }),
      ...(second && { text_encoder_2: second }),
    },
    predictionType,
    schedulerConfig: schedulerConfigOf(family, predictionType),
    unused: [...all.keys()].filter((key) => !used.has(key)),
  }
}

const filesOf = (weights: Weights, file: string): string[] => {
  const files = new Set([...weights.values()].flatMap(({ source }) => ('file' in source ? [source.file] : [])))
  return files.size ? [...files] : [file]
}

type OpenEncoder = (
  prefix: string,
  open: (found: Weights) => TextEncoder | Promise<TextEncoder>,
) => Promise<Checkpoint | undefined>

const textEncoders: Readonly<Record<Family, (encoder: OpenEncoder) => Promise<(Checkpoint | undefined)[]>>> = {
  sd1: async (encoder) => [await encoder('cond_stage_model.transformer.', clipTextEncoder)],
  sd2: async (encoder) => [await encoder('cond_stage_model.model.', (found) => openClipTextEncoder(found, 'sd2'))],
  sdxl: async (encoder) => [
    await encoder('conditioner.embedders.0.transformer.', clipTextEncoder),
    await encoder('conditioner.embedders.1.model.', (found) => openClipTextEncoder(found, 'sdxl')),
  ],
}

/** By the text encoder; a UNet alone tells by its own layers. */
function familyOf(weights: Weights): Family {
  const has = (prefix: string): boolean => [...weights.keys()].some((key) => key.startsWith(prefix))
  if (has('conditioner.embedders.')) return 'sdxl'
  if (has('cond_stage_model.model.')) return 'sd2'
  if (has('cond_stage_model.transformer.')) return 'sd1'
  if (has('model.diffusion_model.label_emb.')) return 'sdxl'
  return weights.get('model.diffusion_model.middle_block.1.proj_in.weight')?.shape.length === 2 ? 'sd2' : 'sd1'
}

/** Above this, the last attention's bias is that of a UNet that predicts velocity; 2.0 and 2.1 base stay far below. */
const velocitySpread = 0.09
const mostRead = 100_000

/**
 * What the UNet predicts, which no shape tells: a settings file beside the checkpoint says so ("parameterization: v"),
 * newer files carry a key for it, and of 2.x both kinds were published, which the spread of one trained bias tells
 * apart.
 */
async function predictionTypeOf(file: string, all: Weights, unet: Weights, family: Family): Promise<PredictionType> {
  const settings = await readFile(file.slice(0, -extname(file).length) + '.yaml', 'utf8').catch(() => '')
  const written = /^\s*parameterization:\s*["']?(\w+)/m.exec(settings)?.[1]
  if (written !== undefined) return written === 'v' ? 'v_prediction' : 'epsilon'
  if (all.has('v_pred')) return 'v_prediction'
  if (family !== 'sd2') return 'epsilon'
  const last = [...unet.keys()]
    .filter((key) => /^up_blocks\.\d+\.attentions\.\d+\.transformer_blocks\.0\.norm1\.bias$/.test(key))
    .sort()
    .at(-1)
  if (last === undefined || sizeOf(unet.get(last)!.shape) > mostRead) return 'epsilon'
  const { data } = toFloat32(await readWeight(unet.get(last)!))
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length
  const spread = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length)
  return spread > velocitySpread ? 'v_prediction' : 'epsilon'
}

function schedulerConfigOf(family: Family, predictionType: PredictionType): Record<string, unknown> {
  const common = {
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: 'scaled_linear',
    num_train_timesteps: 1000,
    steps_offset: 1,
    clip_sample: false,
    set_alpha_to_one: false,
    prediction_type: predictionType,
  }
  if (family === 'sdxl') return { _class_name: 'EulerDiscreteScheduler', ...common, timestep_spacing: 'leading' }
  if (predictionType === 'v_prediction') return { _class_name: 'DDIMScheduler', ...common }
  return { _class_name: 'PNDMScheduler', ...common, skip_prk_steps: true }
}
