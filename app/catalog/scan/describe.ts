import { join } from 'node:path'
import type { z } from 'zod'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import { kindOf, modelKinds, type ModelEntry, type ModelKind } from '#app/contract/models.ts'
import { autoencoderTiny } from '#app/models/autoencoder-tiny.ts'
import { classNameOf, classOf } from '#app/models/classes.ts'
import { parseConfig } from '#app/models/model.ts'
import { parseAdapterConfig } from '#app/models/unet-motion-join.ts'
import {
  adapterConfigSchema,
  anyConfigSchema,
  classifierConfigSchema,
  modelIndexSchema,
  readConfig,
  textEncoderConfigSchema,
  tinyScaleOf,
  unetConfigSchema,
  vaeConfigSchema,
} from './configs.ts'
import { describeFile, type DescribedFile } from './describe-file.ts'
import { describePixArt } from './describe-pixart.ts'
import { describeDecoder, describePrior, describeUnclip } from './describe-unclip.ts'
import { describeControlNet, describeImageEncoder } from './describe-steering.ts'
import type { FoundFolder } from './find-folders.ts'
import { requireFiles, requireScheduler, weightsOf } from './folder-parts.ts'

/** What a folder is, without what depends on where it was found. */
export type Described = Pick<ModelEntry, 'kind' | 'className' | 'bytes' | 'precision' | 'needsMotionAdapter'> &
  Partial<
    Pick<
      ModelEntry,
      | 'blockOutChannels'
      | 'crossAttentionDim'
      | 'imageEmbeds'
      | 'hasImageEncoder'
      | 'numFrames'
      | 'numLabels'
      | 'embeddingDim'
      | 'nativeSize'
      | 'sizeMultiple'
      | 'scheduler'
      | 'textWidth'
      | 'latentChannels'
      | 'latentScale'
      | 'token'
      | 'detail'
      | 'suggested'
      | 'problem'
    >
  >

/** Kinds of pipelines whose folders are told by their configs alone. */
const byParts: Readonly<Partial<Record<ModelKind, (folder: string) => Promise<Partial<Described>>>>> = {
  prior: describePrior,
  'image-decoder': describeDecoder,
  unclip: describeUnclip,
}

const nothing = { bytes: 0, precision: '', needsMotionAdapter: false }

/**
 * Tells what a found folder can be used for; undefined for a file that is no model's. Reads configs and the headers of
 * the weight files. What is broken or not supported comes back with its problem, never as an error.
 */
export async function describe({ folder, marker, named = false }: FoundFolder): Promise<DescribedFile | undefined> {
  if (marker === 'file') return describeFile(folder, named)
  return marker === 'model_index.json' ? describePipeline(folder) : describeModel(folder)
}

async function describePipeline(folder: string): Promise<Described> {
  const known: Described = { ...nothing, kind: 'other', className: 'unknown' }
  try {
    const { _class_name: className } = await readConfig(modelIndexSchema, folder, 'model_index.json')
    known.className = className
    known.kind = kindOfPipeline(className)
    const { folder: needed } = kindOf(known.kind)
    if (!needed)
      throw new ProblemError('unsupported', `${className.replace(/Pipeline$/, '')} pipeline: not supported yet.`)
    const describeParts = byParts[known.kind]
    if (describeParts) {
      Object.assign(known, await describeParts(folder), await weightsOf(folder, needed.parts))
      requireFiles(folder, needed.files)
      for (const [file] of needed.files)
        if (file!.endsWith('scheduler_config.json')) known.scheduler = await requireScheduler(join(folder, file!))
      return known
    }
    if (known.kind === 'pixart') return await describePixArt(folder, known)
    if (!needed.classNames.includes(className))
      throw new ProblemError(
        'unsupported',
        `${className} cannot be used here. ${needed.classNames.join(' and ')} folders can.`,
      )
    const unet = await readConfig(unetConfigSchema, folder, 'unet', 'config.json')
    known.needsMotionAdapter = known.kind.startsWith('stable-diffusion') && unet._class_name !== 'UNetMotionModel'
    known.blockOutChannels = unet.block_out_channels
    if (typeof unet.cross_attention_dim === 'number') known.textWidth = unet.cross_attention_dim
    known.crossAttentionDim = unet.cross_attention_dim
    if (unet.motion_max_seq_length !== undefined) known.numFrames = unet.motion_max_seq_length
    const vae = await readConfig(vaeConfigSchema, folder, 'vae', 'config.json')
    Object.assign(known, latentsOf(vae))
    const factor = 2 ** (vae.block_out_channels.length - 1)
    // diffusers/src/diffusers/pipelines/animatediff/pipeline_animatediff.py@58eb52c check_inputs: multiples of 8
    // whatever the VAE.
    known.sizeMultiple = Math.max(8, factor)
    const latentSize = Array.isArray(unet.sample_size) ? unet.sample_size[0] : unet.sample_size
    if (latentSize != null) known.nativeSize = latentSize * factor
    Object.assign(known, await weightsOf(folder, needed.parts))
    requireFiles(folder, needed.files)
    known.scheduler = await requireScheduler(join(folder, 'scheduler', 'scheduler_config.json'))
    return known
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

/** The kind whose folders name this class; those of Stable Diffusion's family that are not here count as that. */
function kindOfPipeline(className: string): ModelKind {
  const kinds = Object.keys(modelKinds) as ModelKind[]
  const found = kinds.find((kind) => kindOf(kind).folder?.classNames.includes(className))
  return found ?? (/^(StableDiffusion|AnimateDiff)/.test(className) ? 'stable-diffusion' : 'other')
}

async function describeModel(folder: string): Promise<Described> {
  const known: Described = { ...nothing, kind: 'other', className: 'unknown' }
  try {
    const className = classNameOf(await readConfig(anyConfigSchema, folder, 'config.json')) ?? 'unknown'
    known.className = className
    switch (className) {
      case 'MotionAdapter':
        return await describeAdapter(folder)
      case 'UNetMotionModel':
        return await describeLoneUNet(folder)
      case 'TimesformerForVideoClassification':
        return await describeClassifier(folder)
      case 'AutoencoderKL':
        return await describeVae(folder)
      case 'AutoencoderTiny':
        return await describeTinyVae(folder)
      case 'CLIPTextModel':
        return await describeTextEncoder(folder)
      case 'ControlNetModel':
        return await describeControlNet(folder, className, 'controlnet')
      case 'SparseControlNetModel':
        return await describeControlNet(folder, className, 'sparse-controlnet')
      case 'CLIPVisionModelWithProjection':
        return await describeImageEncoder(folder)
    }
    const opened = await weightsOf(folder, ['.']).catch(() => undefined)
    Object.assign(known, opened)
    throw new ProblemError(
      'unsupported',
      classOf(className)
        ? `${className}: a part of a pipeline, which does nothing alone. Give the folder around it, with its model_index.json.`
        : `${className}: not supported yet.`,
    )
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

async function describeAdapter(folder: string): Promise<Described> {
  const known: Described = { ...nothing, kind: 'motion-adapter', className: 'MotionAdapter' }
  try {
    const config = await readConfig(adapterConfigSchema, folder, 'config.json')
    known.blockOutChannels = config.block_out_channels
    if (config.motion_max_seq_length !== undefined) known.numFrames = config.motion_max_seq_length
    Object.assign(known, await weightsOf(folder, ['.']))
    parseAdapterConfig(config)
    return known
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

async function describeLoneUNet(folder: string): Promise<Described> {
  const known: Described = { ...nothing, kind: 'stable-diffusion', className: 'UNetMotionModel' }
  try {
    known.blockOutChannels = (await readConfig(unetConfigSchema, folder, 'config.json')).block_out_channels
    Object.assign(known, await weightsOf(folder, ['.']))
    throw new ProblemError(
      'unsupported',
      'This folder is a motion UNet alone. To make clips it needs a pipeline folder around it, with a model_index.json and the folders unet, vae, text_encoder, tokenizer and scheduler.',
    )
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

async function describeVae(folder: string): Promise<Described> {
  const known: Described = { ...nothing, kind: 'vae', className: 'AutoencoderKL' }
  try {
    Object.assign(known, latentsOf(await readConfig(vaeConfigSchema, folder, 'config.json')))
    return Object.assign(known, await weightsOf(folder, ['.']))
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

async function describeTinyVae(folder: string): Promise<Described> {
  const known: Described = { ...nothing, kind: 'vae', className: 'AutoencoderTiny', ...tinyScaleOf(folder) }
  try {
    const config = parseConfig(autoencoderTiny, await readConfig(anyConfigSchema, folder, 'config.json'))
    known.latentChannels = config.latent_channels
    return Object.assign(known, await weightsOf(folder, ['.']))
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

/** Where a config says nothing, AutoencoderKL's defaults hold. */
const latentsOf = ({ latent_channels = 4, scaling_factor = 0.18215 }: z.infer<typeof vaeConfigSchema>) => ({
  latentChannels: latent_channels,
  latentScale: scaling_factor,
})

async function describeTextEncoder(folder: string): Promise<Described> {
  const known: Described = { ...nothing, kind: 'text-encoder', className: 'CLIPTextModel' }
  try {
    known.textWidth = (await readConfig(textEncoderConfigSchema, folder, 'config.json')).hidden_size
    return Object.assign(known, await weightsOf(folder, ['.']))
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

async function describeClassifier(folder: string): Promise<Described> {
  const className = 'TimesformerForVideoClassification'
  const known: Described = { ...nothing, kind: 'video-classifier', className }
  try {
    const config = await readConfig(classifierConfigSchema, folder, 'config.json')
    known.numFrames = config.num_frames
    known.nativeSize = Array.isArray(config.image_size) ? config.image_size[0]! : config.image_size
    if (config.id2label) known.numLabels = Object.keys(config.id2label).length
    return Object.assign(known, await weightsOf(folder, ['.']))
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}
