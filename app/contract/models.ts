import { z } from 'zod'
import { problemSchema } from './errors.ts'
import { betaSchedules } from './schedulers.ts'

/**
 * What a checkpoint is. `what`: in the middle of a sentence. `folder`: how a pipeline's folder of this kind is known
 * (the class in its model_index.json), the parts of it that hold weights, the first being the one that counts, and
 * files of which one each must be there.
 */
export const modelKinds = {
  'stable-diffusion': {
    what: 'Stable Diffusion model',
    folder: {
      classNames: ['StableDiffusionPipeline', 'AnimateDiffPipeline'],
      parts: ['unet', 'vae', 'text_encoder'],
      files: [['scheduler/scheduler_config.json'], ['tokenizer/vocab.json', 'tokenizer/tokenizer.json']],
    },
  },
  'text-to-video-sd': {
    what: 'text-to-video model',
    folder: {
      classNames: ['TextToVideoSDPipeline', 'VideoToVideoSDPipeline'],
      parts: ['unet', 'vae', 'text_encoder'],
      files: [['scheduler/scheduler_config.json'], ['tokenizer/vocab.json', 'tokenizer/tokenizer.json']],
    },
  },
  pixart: {
    what: 'PixArt model',
    folder: {
      classNames: ['PixArtAlphaPipeline', 'PixArtSigmaPipeline'],
      parts: ['transformer', 'vae', 'text_encoder'],
      files: [['scheduler/scheduler_config.json'], ['tokenizer/spiece.model', 'tokenizer/tokenizer.json']],
    },
  },
  /** Makes an embedding of what texts and pictures say. */
  prior: {
    what: 'prior',
    folder: {
      classNames: ['KandinskyV22PriorPipeline', 'KandinskyPriorPipeline'],
      parts: ['prior', 'text_encoder', 'image_encoder'],
      files: [
        ['scheduler/scheduler_config.json'],
        ['tokenizer/vocab.json', 'tokenizer/tokenizer.json'],
        ['image_processor/preprocessor_config.json'],
      ],
    },
  },
  /** Makes pictures of embeddings. */
  'image-decoder': {
    what: 'decoder of embeddings',
    folder: {
      classNames: ['KandinskyV22Pipeline', 'KandinskyV22Img2ImgPipeline'],
      parts: ['unet', 'movq'],
      files: [['scheduler/scheduler_config.json']],
    },
  },
  /** Prior, decoder and super-resolution in one folder. */
  unclip: {
    what: 'unCLIP model',
    folder: {
      classNames: ['UnCLIPPipeline'],
      parts: ['decoder', 'prior', 'text_encoder', 'text_proj', 'super_res_first', 'super_res_last'],
      files: [
        ['prior_scheduler/scheduler_config.json'],
        ['decoder_scheduler/scheduler_config.json'],
        ['super_res_scheduler/scheduler_config.json'],
        ['tokenizer/vocab.json', 'tokenizer/tokenizer.json'],
      ],
    },
  },
  'stable-diffusion-xl': {
    what: 'Stable Diffusion XL model',
    folder: {
      classNames: ['StableDiffusionXLPipeline'],
      parts: ['unet', 'vae', 'text_encoder', 'text_encoder_2'],
      files: [
        ['scheduler/scheduler_config.json'],
        ['tokenizer/vocab.json', 'tokenizer/tokenizer.json'],
        ['tokenizer_2/vocab.json', 'tokenizer_2/tokenizer.json'],
      ],
    },
  },
  'motion-adapter': { what: 'motion adapter' },
  lora: { what: 'LoRA' },
  embedding: { what: 'textual inversion' },
  vae: { what: 'autoencoder' },
  'text-encoder': { what: 'text encoder' },
  'custom-diffusion': { what: 'set of Custom Diffusion weights' },
  controlnet: { what: 'ControlNet' },
  'sparse-controlnet': { what: 'SparseCtrl' },
  'ip-adapter': { what: 'picture adapter (IP-Adapter)' },
  'image-encoder': { what: 'CLIP image encoder' },
  'video-classifier': { what: 'video classifier' },
  /** Looks like a model, and is none that runs here; its problem says why. */
  other: { what: 'model that is not supported' },
} as const satisfies Record<string, KindRecord>

type KindRecord = {
  readonly what: string
  readonly folder?: PipelineFolder
}
export type PipelineFolder = {
  readonly classNames: readonly string[]
  readonly parts: readonly string[]
  readonly files: readonly (readonly string[])[]
}
export type ModelKind = keyof typeof modelKinds
export const kindOf = (kind: ModelKind): KindRecord => modelKinds[kind]

/** The kinds of pipelines whose denoiser has attention layers that can be chosen. */
export const denoiserKinds = ['stable-diffusion', 'text-to-video-sd', 'pixart'] as const satisfies readonly ModelKind[]

/** A checkpoint the studio found, as the page sees it. The page names models by id, never by path. */
export const modelEntrySchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(Object.keys(modelKinds) as [ModelKind, ...ModelKind[]]),
  /**
   * The reference class that opens it: StableDiffusionPipeline, MotionAdapter, TimesformerForVideoClassification ...
   */
  className: z.string(),
  source: z.enum(['bundled', 'folder']),
  /** Where it is, to be shown. */
  location: z.string(),
  /** Of its weight files. */
  bytes: z.number(),
  /** Element types found, for example "float16". */
  precision: z.string(),
  /** A small demonstration, not a model for real work. */
  demo: z.boolean(),
  /** True when it needs a motion adapter beside it to make clips (its UNet is two-dimensional). */
  needsMotionAdapter: z.boolean(),
  /** Block channels of the UNet or the adapter: they must be equal for the two to fit. */
  blockOutChannels: z.array(z.int()).optional(),
  /** Width of the text that a UNet looks at: a ControlNet or an IP-Adapter for it has the same. */
  crossAttentionDim: z.int().optional(),
  /** Widths of what an image encoder gives, or of the one of them that an IP-Adapter takes. */
  imageEmbeds: z.object({ image_embeds: z.int(), hidden_states: z.int() }).partial().optional(),
  /** An IP-Adapter whose image encoder lies beside it, in a folder image_encoder. */
  hasImageEncoder: z.boolean().optional(),
  /** Frames: the most a motion module takes, or what a classifier samples. */
  numFrames: z.int().optional(),
  numLabels: z.int().optional(),
  /** Numbers of an embedding that it makes or reads: they must be equal for a prior and a decoder to fit. */
  embeddingDim: z.int().optional(),
  /** Width and height it was trained for, in pixels. */
  nativeSize: z.int().optional(),
  /** Width and height must be multiples of this, in pixels. */
  sizeMultiple: z.int().optional(),
  /** The class of its scheduler_config.json. */
  scheduler: z.string().optional(),
  /** How wide the states of a prompt are that it reads, makes or changes: equal for all that work together. */
  textWidth: z.int().optional(),
  /** Of a model's or an autoencoder's latents: their channels, and what they are multiplied with. */
  latentChannels: z.int().optional(),
  latentScale: z.number().optional(),
  /** The word in a prompt that stands for a textual inversion. */
  token: z.string().optional(),
  /** What it is more precisely, in words, such as a LoRA's kind and rank. */
  detail: z.string().optional(),
  /** Settings that suit it. */
  suggested: z
    .object({
      numFrames: z.int(),
      numInferenceSteps: z.int(),
      guidanceScale: z.number(),
      prompt: z.string(),
      betaSchedule: z.enum(betaSchedules),
    })
    .partial()
    .optional(),
  /** Why it cannot be used, where it cannot. */
  problem: problemSchema.optional(),
})
export type ModelEntry = z.infer<typeof modelEntrySchema>
