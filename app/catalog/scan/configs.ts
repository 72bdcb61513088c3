import { basename, join } from 'node:path'
import { z } from 'zod'
import { readJson } from '#app/checkpoints/json.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { labelNames } from '#app/models/timesformer.ts'

/**
 * The few keys of the configs that the list of models shows; the models themselves parse the whole. Other keys are left
 * alone.
 */
const channels = z.array(z.int().min(1)).min(1)
const size = z.union([z.int(), z.array(z.int()).min(1)])
/** Of a list by block the last is the middle's, which always looks at the text. */
const textWidth = z.union([
  z.int(),
  z
    .array(z.int())
    .min(1)
    .transform((all) => all.at(-1)!),
])

export const modelIndexSchema = z.looseObject({ _class_name: z.string() })
export const unetConfigSchema = z.looseObject({
  _class_name: z.string(),
  block_out_channels: channels,
  sample_size: size.nullish(),
  motion_max_seq_length: z.int().min(1).optional(),
  cross_attention_dim: textWidth.default(1280),
})
export const controlConfigSchema = z.looseObject({
  block_out_channels: channels.default([320, 640, 1280, 1280]),
  cross_attention_dim: textWidth.optional(),
  motion_max_seq_length: z.int().min(1).optional(),
})
export const imageEncoderConfigSchema = z.looseObject({
  hidden_size: z.int().min(1).default(768),
  projection_dim: z.int().min(1).default(512),
  image_size: z.int().min(1).default(224),
})
export const vaeConfigSchema = z.looseObject({
  block_out_channels: channels,
  latent_channels: z.int().optional(),
  scaling_factor: z.number().optional(),
})
/** What the latents of the base are multiplied with that a tiny autoencoder was trained for, as its name tells. */
export function tinyScaleOf(path: string): { latentScale?: number } {
  // In the hub's cache the folder's own name is that of a revision.
  const name = /models--[^\\/]*/.exec(path)?.[0] ?? basename(path)
  if (/taesd-?xl/i.test(name)) return { latentScale: 0.13025 }
  return /taesd(?!-?3)/i.test(name) ? { latentScale: 0.18215 } : {}
}

export const textEncoderConfigSchema = z.looseObject({ hidden_size: z.int(), vocab_size: z.int().optional() })
export const adapterConfigSchema = z.looseObject({
  block_out_channels: channels,
  motion_max_seq_length: z.int().min(1).optional(),
})
export const classifierConfigSchema = z.looseObject({
  image_size: size,
  num_frames: z.int().min(1),
  id2label: labelNames.nullish(),
})
export const anyConfigSchema = z.looseObject({})

/** Reads and parses one config. Throws `bad-model` naming the file and each key that is wrong. */
export async function readConfig<T>(schema: z.ZodType<T>, ...path: [string, ...string[]]): Promise<T> {
  const file = join(...path)
  const parsed = schema.safeParse(await readJson(file))
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`)
  const field = parsed.error.issues[0]?.path.join('.')
  throw new ProblemError('bad-model', `${file}: ${issues.join('; ')}`, { file, ...(field ? { field } : {}) })
}
