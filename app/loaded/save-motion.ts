import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '#app/checkpoints/file.ts'
import type { Weights } from '#app/checkpoints/weights.ts'
import { writeWeights } from '#app/checkpoints/write.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { adapterWeights } from '#app/models/motion-adapter.ts'
import { auditAdapter } from '#app/models/motion-audit.ts'

type AdapterConfig = { readonly motion_max_seq_length: number } & Readonly<Record<string, unknown>>

/**
 * Writes the motion modules among `weights` as a MotionAdapter folder: config.json and one safetensors file, with the
 * variant in its name. Source: unet_motion_model.py@58eb52c save_motion_modules. Throws bad-model naming a weight
 * without which it could not be opened again, `disk` when it cannot be written, bad-input for the variant.
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
  const written = adapterWeights(weights, config.motion_max_seq_length)
  const { missing, wrong } = auditAdapter(config, new Map(written.map((weight) => [weight.name, weight])))
  const [reason] = [...wrong, ...missing.map((key) => `there is no weight "${key}"`)]
  if (reason !== undefined)
    throw new ProblemError('bad-model', `these motion modules make no whole MotionAdapter: ${reason}`)
  const files = {
    config: join(folder, 'config.json'),
    weights: join(folder, `diffusion_pytorch_model${variant === undefined ? '' : `.${variant}`}.safetensors`),
  }
  // What a write that fails leaves behind could not be opened again.
  const fresh = [folder, ...Object.values(files)].find((path) => !existsSync(path))
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(files.config, `${JSON.stringify(config, null, 2)}\n`)
    await writeWeights(files.weights, written, { format: 'pt' })
  } catch (cause) {
    if (fresh !== undefined) await rm(fresh, { recursive: true, force: true }).catch(() => {})
    if (cause instanceof ProblemError) throw cause
    throw new ProblemError('disk', `${folder} cannot be written: ${reasonOf(cause)}.`, { file: folder, cause })
  }
}
