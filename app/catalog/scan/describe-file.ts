import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { openEmbedding } from '#app/checkpoints/embedding.ts'
import { summarise, type Checkpoint } from '#app/checkpoints/folder.ts'
import { contentsOf } from '#app/checkpoints/layouts/contents.ts'
import { openControlNetFile } from '#app/checkpoints/layouts/controlnet.ts'
import { imageEncoderBeside, openIpAdapter } from '#app/checkpoints/layouts/ip-adapter.ts'
import { openMotionModule } from '#app/checkpoints/layouts/motion-module.ts'
import { openSingleFile, partOf } from '#app/checkpoints/layouts/single-file.ts'
import { openLora } from '#app/checkpoints/lora/open-lora.ts'
import { loraSummary, textWidthOf } from '#app/checkpoints/lora/summary.ts'
import { openTextEncoder, openVae } from '#app/checkpoints/open-part.ts'
import { openWeightsFile } from '#app/checkpoints/open.ts'
import type { Weights } from '#app/checkpoints/weights.ts'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import { autoencoderTiny } from '#app/models/autoencoder-tiny.ts'
import { controlNetModel } from '#app/models/controlnet.ts'
import { parseConfig } from '#app/models/model.ts'
import { parseAdapterConfig } from '#app/models/unet-motion-join.ts'
import { tinyScaleOf } from './configs.ts'
import type { Described } from './describe.ts'

/** `vocabularySize`: the tokens of its text encoder, for which a tokenizer has to be found. */
export type DescribedFile = Described & { vocabularySize?: number }

const nothing = { bytes: 0, precision: '', needsMotionAdapter: false }
/** What most files are that cannot be opened, and so cannot be told. */
const wholeCheckpoint = { kind: 'stable-diffusion', className: 'StableDiffusionPipeline' } as const
const noneOfOurs = { kind: 'other', className: 'unknown' } as const

/**
 * Tells what a weights file without a folder around it can be used for; undefined for one that is no model, by an
 * extension that is used for much else.
 */
export async function describeFile(file: string, named: boolean): Promise<DescribedFile | undefined> {
  const known: DescribedFile = { ...nothing, ...(/\.(safetensors|ckpt)$/i.test(file) ? wholeCheckpoint : noneOfOurs) }
  try {
    const { weights } = await openWeightsFile(file)
    const { kind, name } = contentsOf(weights)
    switch (kind) {
      case 'motion-module':
        return await describeMotionModule(file)
      case 'lora':
        return await describeLora(file, weights)
      case 'custom-diffusion':
        return describeCustomDiffusion(weights)
      case 'embedding':
        return await describeEmbedding(file, weights)
      case 'vae':
        return await describeVaeFile(file)
      case 'text-encoder':
        return await describePart({ kind: 'text-encoder', className: 'CLIPTextModel' }, openTextEncoder(file))
      case 'ip-adapter':
        return await describeIpAdapter(file)
      case 'controlnet':
        return await describeControlNetFile(file)
      case 'stable-diffusion':
        return await describeCheckpoint(file)
      case 'unsupported':
      case 'unknown':
        break
    }
    const { bytes, precision } = summarise(weights)
    Object.assign(known, { ...noneOfOurs, bytes, precision: precision ?? '' })
    const says = kind === 'unknown' ? `holds ${name}` : `is ${name}`
    throw new ProblemError('unsupported', `${basename(file)} ${says}, which cannot be used here.`, { file })
  } catch (error) {
    return !named && /\.(bin|pt|pth)$/i.test(file) && toProblem(error).code === 'bad-model'
      ? undefined
      : { ...known, problem: toProblem(error) }
  }
}

async function describeCheckpoint(file: string): Promise<DescribedFile> {
  const known: DescribedFile = { ...nothing, ...wholeCheckpoint }
  try {
    return Object.assign(known, await fromSingleFile(file, known))
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

/** What is known before something is found missing is left in `known`. */
async function fromSingleFile(file: string, known: DescribedFile): Promise<Partial<DescribedFile>> {
  const single = await openSingleFile(file)
  const { unet } = single.parts
  Object.assign(known, {
    needsMotionAdapter: true,
    precision: unet?.summary.precision ?? '',
    blockOutChannels: unet?.config.block_out_channels,
    crossAttentionDim: unet?.config.cross_attention_dim,
    bytes: Object.values(single.parts).reduce((sum, { summary }) => sum + summary.bytes, 0),
  })
  if (single.family === 'sdxl') {
    Object.assign(known, { kind: 'stable-diffusion-xl', className: 'StableDiffusionXLPipeline' })
    partOf(single, 'text_encoder_2')
  }
  const vae = partOf(single, 'vae')
  const factor = 2 ** ((vae.config.block_out_channels as number[]).length - 1)
  return {
    sizeMultiple: Math.max(8, factor),
    textWidth: Number(unet?.config.cross_attention_dim),
    latentChannels: Number(vae.config.latent_channels),
    latentScale: Number(vae.config.scaling_factor),
    nativeSize: Number(unet?.config.sample_size) * factor,
    scheduler: String(single.schedulerConfig._class_name),
    vocabularySize: Number(partOf(single, 'text_encoder').config.vocab_size),
  }
}

async function describeLora(file: string, weights: Weights): Promise<DescribedFile> {
  const { bytes, precision } = summarise(weights)
  const known: DescribedFile = { ...nothing, kind: 'lora', className: 'LoRA', bytes, precision: precision ?? '' }
  try {
    const lora = await openLora(file)
    const { kinds, ranks } = loraSummary(lora)
    const textWidth = textWidthOf(lora)
    return {
      ...known,
      detail: [kinds.join(', '), ...(ranks.length ? [`rank ${ranks.join(', ')}`] : [])].join(', '),
      ...(textWidth !== undefined && { textWidth }),
    }
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

async function describeEmbedding(file: string, weights: Weights): Promise<DescribedFile> {
  const { bytes, precision } = summarise(weights)
  const known: DescribedFile = {
    ...nothing,
    kind: 'embedding',
    className: 'TextualInversion',
    bytes,
    precision: precision ?? '',
  }
  try {
    const { token, vectors } = await openEmbedding(file)
    const [first, second] = [vectors.text_encoder, vectors.text_encoder_2]
    // Stable Diffusion XL reads the states of both its encoders side by side.
    const textWidth = (first?.shape[1] ?? 0) + (second?.shape[1] ?? 0)
    const count = first?.shape[0] ?? 0
    return { ...known, token, textWidth, detail: `“${token}”, ${count} vector${count === 1 ? '' : 's'}` }
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

/** A tiny one does not say what base it was trained for; its published names do. */
async function describeVaeFile(file: string): Promise<DescribedFile> {
  const opened = openVae(file)
  const described = await describePart({ kind: 'vae', className: 'AutoencoderKL' }, opened)
  if (described.problem || (await opened).config._class_name !== autoencoderTiny.className) return described
  return { ...described, className: autoencoderTiny.className, ...tinyScaleOf(file) }
}

async function describePart(
  kind: Pick<DescribedFile, 'kind' | 'className'>,
  opened: Promise<Checkpoint>,
): Promise<DescribedFile> {
  try {
    const { config, summary } = await opened
    return {
      ...{ ...nothing, ...kind, bytes: summary.bytes, precision: summary.precision ?? '' },
      ...(kind.kind === 'vae' ? { latentChannels: Number(config.latent_channels) } : {}),
      ...(kind.kind === 'text-encoder' ? { textWidth: Number(config.hidden_size) } : {}),
    }
  } catch (error) {
    return { ...nothing, ...kind, problem: toProblem(error) }
  }
}

function describeCustomDiffusion(weights: Weights): DescribedFile {
  const { bytes, precision } = summarise(weights)
  return { ...nothing, kind: 'custom-diffusion', className: 'CustomDiffusion', bytes, precision: precision ?? '' }
}

async function describeIpAdapter(file: string): Promise<DescribedFile> {
  const known: DescribedFile = { ...nothing, kind: 'ip-adapter', className: 'IPAdapter' }
  try {
    const { takes, embedDim, crossAttentionDim, summary } = await openIpAdapter(file)
    return {
      ...known,
      bytes: summary.bytes,
      precision: summary.precision ?? '',
      crossAttentionDim,
      imageEmbeds: { [takes]: embedDim },
      hasImageEncoder: existsSync(join(imageEncoderBeside(file), 'config.json')),
    }
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

async function describeControlNetFile(file: string): Promise<DescribedFile> {
  const known: DescribedFile = { ...nothing, kind: 'controlnet', className: 'ControlNetModel' }
  try {
    const { config, summary } = await openControlNetFile(file)
    const { block_out_channels, cross_attention_dim } = parseConfig(controlNetModel, config)
    return {
      ...known,
      bytes: summary.bytes,
      precision: summary.precision ?? '',
      blockOutChannels: block_out_channels,
      crossAttentionDim: [cross_attention_dim].flat().at(-1)!,
    }
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

async function describeMotionModule(file: string): Promise<DescribedFile> {
  const known: DescribedFile = { ...nothing, kind: 'motion-adapter', className: 'MotionAdapter' }
  try {
    const { config, summary } = await openMotionModule(file)
    Object.assign(known, { bytes: summary.bytes, precision: summary.precision ?? '' })
    const adapter = parseAdapterConfig(config)
    return { ...known, blockOutChannels: adapter.block_out_channels, numFrames: adapter.motion_max_seq_length }
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}
