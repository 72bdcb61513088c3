import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import type { RgbFrame } from './frame.ts'
import { resamplingByNumber, resize } from './resize.ts'

const side = z.number().int().min(1).max(4096)
const heightWidth = z.strictObject({ height: side, width: side })
const perChannel = z.union([z.number(), z.array(z.number()).length(3)])

/**
 * The settings of a video classifier's image or video processor. Keys and meanings are transformers' own; a key that is
 * not here is refused by name, but for those whose value is null: they are as if they were not there
 * (transformers/image_processing_utils_fast.py of 5.0, __init__).
 */
export const preprocessConfigSchema = z.strictObject({
  image_processor_type: z
    .enum([
      'VideoMAEImageProcessor',
      'VideoMAEImageProcessorFast',
      'VideoMAEImageProcessorPil',
      'VideoMAEFeatureExtractor',
    ])
    .optional(),
  video_processor_type: z.enum(['VideoMAEVideoProcessor', 'TimesformerVideoProcessor']).optional(),
  feature_extractor_type: z.enum(['VideoMAEFeatureExtractor', 'VideoMAEImageProcessor']).optional(),
  processor_class: z.string().optional(),
  do_resize: z.boolean().default(true),
  /** A plain number is the shortest edge, as in configs of 2022. */
  size: z
    .union([
      side.transform((shortest_edge) => ({ shortest_edge })),
      z.strictObject({ shortest_edge: side }),
      heightWidth,
    ])
    .default({ shortest_edge: 224 }),
  resample: z.number().int().min(0).max(5).default(2),
  do_center_crop: z.boolean().default(true),
  crop_size: z
    .union([side.transform((edge) => ({ height: edge, width: edge })), heightWidth])
    .default({ height: 224, width: 224 }),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.default([0.5, 0.5, 0.5]),
  image_std: perChannel.default([0.5, 0.5, 0.5]),
  do_convert_rgb: z.boolean().optional(), // frames are RGB already
  default_to_square: z.literal(false).optional(),
  do_pad: z.literal(false).optional(),
  data_format: z.literal('channels_first').optional(),
  /** Frames are chosen before they come here; what the processor would choose is no part of preparing them. */
  do_sample_frames: z.boolean().optional(),
  num_frames: z.number().optional(),
  fps: z.number().optional(),
  return_metadata: z.boolean().optional(),
  disable_grouping: z.boolean().optional(),
  _valid_processor_keys: z.array(z.string()).optional(),
})
export type PreprocessConfig = z.infer<typeof preprocessConfigSchema>

/** What a picture is prepared by, whichever processor wrote it. */
export type PictureConfig = Pick<
  PreprocessConfig,
  | 'do_resize'
  | 'size'
  | 'resample'
  | 'do_center_crop'
  | 'crop_size'
  | 'do_rescale'
  | 'rescale_factor'
  | 'do_normalize'
  | 'image_mean'
  | 'image_std'
>

/**
 * The same of CLIP's image processor, with its own defaults (transformers/models/clip/image_processing_clip.py, 5.23).
 */
const clipImageConfigSchema = preprocessConfigSchema
  .omit({ video_processor_type: true, do_sample_frames: true, num_frames: true, fps: true })
  .extend({
    image_processor_type: z.enum(['CLIPImageProcessor', 'CLIPImageProcessorFast', 'CLIPImageProcessorPil']).optional(),
    feature_extractor_type: z.literal('CLIPFeatureExtractor').optional(),
    resample: preprocessConfigSchema.shape.resample.unwrap().default(3),
    image_mean: perChannel.default([0.48145466, 0.4578275, 0.40821073]),
    image_std: perChannel.default([0.26862954, 0.26130258, 0.27577711]),
  })

/**
 * The parsed settings; a `bad-model` problem names the key that cannot be honoured. `file` is for the
 * message.
 */
export const parsePreprocessConfig = (json: unknown, file = 'preprocessor_config.json'): PreprocessConfig =>
  parsedConfig(preprocessConfigSchema, json, file)

/** The same for the pictures of CLIP's image encoder. */
export const parseClipImageConfig = (json: unknown, file = 'preprocessor_config.json'): PictureConfig =>
  parsedConfig(clipImageConfigSchema, json, file)

function parsedConfig<C extends PictureConfig>(schema: z.ZodType<C>, json: unknown, file: string): C {
  const parsed = schema.safeParse(withoutNulls(json))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const key = [...issue.path, ...(issue.code === 'unrecognized_keys' ? [issue.keys[0]!] : [])].join('.')
    throw new ProblemError('bad-model', `${file}: ${key || 'the file'} cannot be honoured: ${issue.message}`, {
      file,
      ...(key && { field: key }),
    })
  }
  const std = channels(parsed.data.image_std)
  if (parsed.data.do_normalize && std.some((value) => value === 0))
    throw new ProblemError('bad-model', `${file}: image_std holds a zero`, { file, field: 'image_std' })
  return parsed.data
}

function withoutNulls(json: unknown): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json
  const entries = Object.entries(json).filter(([, value]) => value !== null)
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutNulls(value)]))
}

/**
 * Frames as a video classifier takes them: pixel_values (1, F, 3, H, W), each frame resized, cropped at its centre
 * (or padded with black where it is smaller), rescaled and normalised.
 * Source: VideoMAEImageProcessor, transformers/models/videomae/image_processing_pil_videomae.py of 5.23.
 */
export const preprocessFrames = (frames: readonly RgbFrame[], config: PictureConfig): Tensor<'float32'> =>
  pixelValues(
    frames.map((frame) => preparePicture(frame, config)),
    config,
  )

/** Its first half, a frame at a time: the picture at the size that the model sees. */
export const preparePicture = (frame: RgbFrame, config: PictureConfig): RgbFrame =>
  cropped(resized(frame, config), config)

/** Its second half: prepared pictures as pixel_values (1, F, 3, H, W). */
export function pixelValues(pictures: readonly RgbFrame[], config: PictureConfig): Tensor<'float32'> {
  const { width, height } = pictures[0] ?? { width: 0, height: 0 }
  if (width === 0) throw new ProblemError('bad-media', 'the clip has no frames')
  if (pictures.some((picture) => picture.width !== width || picture.height !== height))
    throw new ProblemError('bad-media', 'the frames have different sizes, and the model does not crop them to one')
  const tables = valueTables(config)
  const plane = width * height
  const values = new Float32Array(pictures.length * 3 * plane)
  pictures.forEach(({ data }, f) => {
    for (let c = 0; c < 3; c++) {
      const table = tables[c]!
      const to = (f * 3 + c) * plane
      for (let i = 0; i < plane; i++) values[to + i] = table[data[i * 3 + c]!]!
    }
  })
  return float32([1, pictures.length, 3, height, width], values)
}

function resized(frame: RgbFrame, config: PictureConfig): RgbFrame {
  if (!config.do_resize) return frame
  const filter = resamplingByNumber[config.resample]!
  if ('height' in config.size) return resize(frame, config.size.width, config.size.height, filter)
  const short = config.size.shortest_edge
  const long = Math.trunc((short * Math.max(frame.width, frame.height)) / Math.min(frame.width, frame.height))
  // A picture of one row would grow without bound; the reference has no limit here.
  if (long * short > 1e8)
    throw new ProblemError(
      'bad-media',
      `a frame of ${frame.width}x${frame.height} is too narrow to be resized to ${short}`,
    )
  return frame.width <= frame.height ? resize(frame, short, long, filter) : resize(frame, long, short, filter)
}

function cropped(frame: RgbFrame, config: PictureConfig): RgbFrame {
  if (!config.do_center_crop) return frame
  const { width, height } = config.crop_size
  if (width === frame.width && height === frame.height) return frame
  // Python's floor division decides odd differences, also for pictures smaller than the crop.
  const left = offset(frame.width, width)
  const top = offset(frame.height, height)
  const data = new Uint8Array(width * height * 3)
  for (let y = Math.max(0, -top); y < Math.min(height, frame.height - top); y++) {
    const x = Math.max(0, -left)
    const end = Math.min(width, frame.width - left)
    const from = ((y + top) * frame.width + x + left) * 3
    data.set(frame.data.subarray(from, from + (end - x) * 3), (y * width + x) * 3)
  }
  return { width, height, data }
}

const offset = (size: number, crop: number): number => Math.floor((size - crop) / 2)

// Pixels are bytes, so every step after the crop is a table of 256 values, rounded to float32 where numpy rounds.
function valueTables(config: PictureConfig): Float32Array[] {
  const [mean, std] = [channels(config.image_mean), channels(config.image_std)]
  return [0, 1, 2].map((c) =>
    Float32Array.from({ length: 256 }, (_, byte) => {
      const scaled = Math.fround(config.do_rescale ? byte * config.rescale_factor : byte)
      if (!config.do_normalize) return scaled
      return Math.fround(Math.fround(scaled - Math.fround(mean[c]!)) / Math.fround(std[c]!))
    }),
  )
}

const channels = (value: number | number[]): number[] => (typeof value === 'number' ? [value, value, value] : value)
