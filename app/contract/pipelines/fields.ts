import { z } from 'zod'
import { attnChoiceSchema } from '../attn-processors.ts'
import { computeSchema, defaultCompute } from '../compute.ts'
import { controlNetChoiceSchema, ipAdapterChoiceSchema, sparseControlSchema } from '../conditioning.ts'
import { mediaRefSchema } from '../media-refs.ts'
import { freeInitSchema } from '../free-init.ts'
import { longClipSchema, splitInferenceSchema } from '../long-clips.ts'
import { mixItemSchema } from '../mix.ts'
import { promptSyntaxes } from '../prompts/syntax.ts'
import { schedulerConfigSchema } from '../schedulers.ts'
import {
  forwardChunkingSchema,
  frameSamplingSchema,
  freeUSchema,
  loraChoiceSchema,
  loraScalesSchema,
} from '../settings.ts'

const sizeSchema = z.object({ width: z.int().min(1).max(65_536), height: z.int().min(1).max(65_536) })
const cropSchema = z.object({ left: z.int().min(0).max(65_536), top: z.int().min(0).max(65_536) })

/** `default`: drawn to the asked size, whatever its shape; `crop`: its middle, in its own shape. */
export const resizeModes = ['default', 'crop'] as const
export type ResizeMode = (typeof resizeModes)[number]

/**
 * What the settings of pipelines are made of. A name means the same wherever it stands, so a value is kept when a user
 * goes from one pipeline to another, and a field has one row in the command line's options and one control on the page.
 * Sizes in pixels.
 */
export const fields = {
  model: z.string().min(1),
  /** null: the model has its motion modules inside (a UNetMotionModel folder). */
  motionAdapter: z.string().min(1).nullable(),
  /** Makes the embedding that a decoder reads; null where embeddings that were kept are all that is asked for. */
  prior: z.string().min(1).nullable(),
  prompt: z.string().max(20_000),
  negativePrompt: z.string().max(20_000),
  /** How much of a mix the prompt is. */
  promptWeight: z.number().min(-10).max(10),
  /** What is mixed with the prompt: texts, pictures, embeddings. */
  mix: z.array(mixItemSchema).max(32),
  /** Steps and guidance of the prior, beside those of what makes the picture. */
  priorSteps: z.int().min(2).max(1000),
  priorGuidanceScale: z.number().min(0).max(100),
  /** Steps that make a small picture larger. */
  superResSteps: z.int().min(2).max(1000),
  /** Recipes from before prompts had a syntax mean plain words. */
  promptSyntax: z.enum(promptSyntaxes).default('plain'),
  /** Textual inversions, whose words prompts may use. */
  embeddings: z.array(z.string().min(1)).max(64).default([]),
  /** An autoencoder and a text encoder in the place of the model's own; null for those. */
  vae: z.string().min(1).nullable().default(null),
  textEncoder: z.string().min(1).nullable().default(null),
  /** A tiny autoencoder that shows each step, and changes nothing else; null for what the model has. */
  previewVae: z.string().min(1).nullable().default(null),
  width: z.int().min(8).max(4096),
  height: z.int().min(8).max(4096),
  numFrames: z.int().min(1).max(512),
  fps: z.number().min(1).max(120),
  numInferenceSteps: z.int().min(1).max(1000),
  /**
   * The timesteps themselves, from the noisiest, in the place of a number of steps; null for those of the scheduler.
   */
  timesteps: z.array(z.int().min(0)).min(1).max(1000).nullable().default(null),
  guidanceScale: z.number().min(0).max(100),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** A scheduler's class name, or null for the checkpoint's own. */
  scheduler: z.string().nullable(),
  /** Keys that replace those of scheduler_config.json. */
  schedulerConfig: schedulerConfigSchema.default({}),
  /** How far the deviation of a guided prediction is drawn back to that of the conditioned one (arXiv 2305.08891). */
  guidanceRescale: z.number().min(0).max(1).default(0),
  /** The share of fresh noise at each step in DDIM and TCD: 0 is deterministic. */
  eta: z.number().min(0).max(1),
  freeu: freeUSchema.nullable(),
  /** FreeU as it was changed while the run went on: from `step` (0-based) on, `freeu` holds. */
  freeuChanges: z.array(z.object({ step: z.int().min(0), freeu: freeUSchema.nullable() })),
  forwardChunking: forwardChunkingSchema.nullable(),
  /** The denoiser's attention processors: one for all layers, or a map by layer path; null for the default. */
  attnProcessor: attnChoiceSchema.nullable().default(null),
  /** One product for query, key and value in the denoiser's attention, which takes the place of a processor. */
  fuseQkv: z.boolean().default(false),
  /** The side of the tiles in which the autoencoder decodes a picture; null where it decodes it whole. */
  vaeTiling: z.int().min(64).max(4096).multipleOf(32).nullable().default(null),
  loras: z.array(loraChoiceSchema).max(32).default([]),
  /** Scales as they were changed while the run went on, in the way of `freeuChanges`. */
  loraChanges: z.array(z.object({ step: z.int().min(0), scales: loraScalesSchema })).default([]),
  /** Whether a picture is made at the nearest size that the model was trained at, and then brought to the asked one. */
  useResolutionBinning: z.boolean().default(true),
  /** Whether addresses, markup and advertising are taken out of prompts, as out of the captions of the training. */
  cleanCaption: z.boolean().default(true),
  /** Tokens of a prompt that T5 reads; null for as many as the model was trained with. */
  maxSequenceLength: z.int().min(2).max(512).nullable().default(null),
  /** Layers of the text encoder left out at its end; null for none. */
  clipSkip: z.int().min(1).max(12).nullable(),
  /** What Stable Diffusion XL's second text encoder reads; empty for what the first one reads. */
  prompt2: z.string().max(20_000),
  negativePrompt2: z.string().max(20_000),
  /** The size that the picture is to look as if it had had before the training made it smaller; null for its own. */
  originalSize: sizeSchema.nullable(),
  /** How much is to look cut off, in pixels; 0 and 0 for a picture with its subject in the middle. */
  cropTopLeft: cropSchema,
  /** The size that it is to look made for; null for its own. */
  targetSize: sizeSchema.nullable(),
  /** The same for what it is led away from; null for those above. */
  negativeOriginalSize: sizeSchema.nullable(),
  negativeCropTopLeft: cropSchema,
  negativeTargetSize: sizeSchema.nullable(),
  /** The share of the steps after which it ends, noise and all, for another model to go on; null for all of them. */
  denoisingEnd: z.number().gt(0).lt(1).nullable(),
  /** The picture that a run begins with; null where none is chosen yet. */
  image: mediaRefSchema.nullable(),
  /** The clip that a run begins with; null where none is chosen yet. */
  video: mediaRefSchema.nullable(),
  /** How such a picture or clip is brought to the size of the result, by the names of diffusers' VaeImageProcessor. */
  resizeMode: z.enum(resizeModes),
  /** How much of the picture or clip is made anew: 0 keeps it, 1 begins with noise alone. */
  strength: z.number().min(0).max(1),
  /** The clip made in several rounds, each beginning with the low frequencies of the one before; null for one round. */
  freeInit: freeInitSchema.nullable().default(null),
  /** Prompts from later frames on; in between the clip goes over from one to the next. `prompt` holds at frame 0. */
  laterPrompts: z
    .array(z.object({ frame: z.int().min(1).max(511), prompt: z.string().max(20_000) }))
    .max(64)
    .default([]),
  /** How a clip becomes longer than the motion modules can see at once; null where it does not. */
  longClip: longClipSchema.nullable().default(null),
  /** Layers see part of the clip at a time; null where they see all of it. */
  splitInference: splitInferenceSchema.nullable().default(null),
  /** What steers a clip frame by frame, and the frames that each of them goes by; null where none is chosen yet. */
  controlNets: z.array(controlNetChoiceSchema).max(8).default([]),
  controlFrames: z.array(mediaRefSchema.nullable()).max(8).default([]),
  /** ControlNets guess what their frames show, so that the prompt may be empty. */
  guessMode: z.boolean().default(false),
  /** What steers a clip by pictures of some of its frames, and these pictures. */
  sparseControl: sparseControlSchema.nullable().default(null),
  sparsePictures: z.array(mediaRefSchema.nullable()).max(64).default([]),
  /** What shows the UNet a picture beside the prompt, and each one's picture. */
  ipAdapters: z.array(ipAdapterChoiceSchema).max(4).default([]),
  ipPictures: z.array(mediaRefSchema.nullable()).max(4).default([]),
  /** The image encoder of the IP-Adapters; null for the one that lies beside each of them. */
  imageEncoder: z.string().min(1).nullable().default(null),
  /** Which frames of a clip a classifier sees. */
  sampling: frameSamplingSchema,
  /** How many labels are kept, the most probable first. */
  topK: z.int().min(1).max(1000),
  compute: computeSchema.default(defaultCompute),
} as const

export type Fields = { [F in keyof typeof fields]: z.output<(typeof fields)[F]> }

/**
 * What a field is where nobody has chosen and no model suggests anything. An empty model is one that is yet to be
 * chosen.
 */
export const fieldDefaults: Readonly<Fields> = {
  model: '',
  motionAdapter: null,
  prior: null,
  prompt: '',
  negativePrompt: '',
  promptWeight: 1,
  mix: [],
  priorSteps: 25,
  priorGuidanceScale: 4,
  superResSteps: 7,
  promptSyntax: 'a1111',
  embeddings: [],
  vae: null,
  textEncoder: null,
  previewVae: null,
  width: 512,
  height: 512,
  numFrames: 16,
  fps: 8,
  numInferenceSteps: 25,
  timesteps: null,
  guidanceScale: 7.5,
  seed: 0,
  scheduler: null,
  schedulerConfig: {},
  guidanceRescale: 0,
  eta: 0,
  freeu: null,
  freeuChanges: [],
  forwardChunking: null,
  attnProcessor: null,
  fuseQkv: false,
  vaeTiling: null,
  loras: [],
  loraChanges: [],
  useResolutionBinning: true,
  cleanCaption: true,
  maxSequenceLength: null,
  clipSkip: null,
  prompt2: '',
  negativePrompt2: '',
  originalSize: null,
  cropTopLeft: { left: 0, top: 0 },
  targetSize: null,
  negativeOriginalSize: null,
  negativeCropTopLeft: { left: 0, top: 0 },
  negativeTargetSize: null,
  denoisingEnd: null,
  image: null,
  video: null,
  resizeMode: 'crop',
  strength: 0.8,
  freeInit: null,
  laterPrompts: [],
  longClip: null,
  splitInference: null,
  controlNets: [],
  controlFrames: [],
  guessMode: false,
  sparseControl: null,
  sparsePictures: [],
  ipAdapters: [],
  ipPictures: [],
  imageEncoder: null,
  sampling: { kind: 'even' },
  topK: 5,
  compute: defaultCompute,
}

/** The settings of any pipeline; what it has no field for is as where nobody has chosen. */
export const allFields = (settings: Partial<Fields>): Fields => ({ ...fieldDefaults, ...settings })
