import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '#app/checkpoints/file.ts'
import type { Weights } from '#app/checkpoints/weights.ts'
import { writeWeights } from '#app/checkpoints/write.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { adapterWeights } from '#app/models/motion-adapter.ts'

type AdapterConfig = { readonly motion_max_seq_length: number } & Readonly<Record<string, unknown>>

/**
 * Writes the motion modules among `weights` as a MotionAdapter folder: config.json and one safetensors file, with the
 * variant in its name. Source: unet_motion_model.py@58eb52c save_motion_modules. Throws `disk` when it cannot be
 * written, bad-input for the variant.
 */
export async function writeMotionAdapter(
  folder: string,
  config: AdapterConfig,
  weights: Weights,
  { variant }: { variant?: string } = {},
): Promise<void> {
  if (variant !== undefined && !/^[\w-]+$/.test(variant))
    throw new ProblemError('bad-input', `The variant "${variant}" must be a plain word such as fp16.`, {
      field: 'variant',
    })
  const name = `diffusion_pytorch_model${variant === undefined ? '' : `.${variant}`}.safetensors`
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
  } catch (cause) {
    throw new ProblemError('disk', `${folder} cannot be written: ${reasonOf(cause)}.`, { file: folder, cause })
  }
  await writeWeights(join(folder, name), adapterWeights(weights, config.motion_max_seq_length), { format: 'pt' })
}
