import { openCheckpoint } from '#app/checkpoints/folder.ts'
import type { AttnProcessor } from '#app/contract/attn-processors.ts'
import { classNameOf, classOf } from '#app/models/classes.ts'
import type { Args } from '#app/models/model.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import type { Tensors } from '#app/parity/case.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

export type Forward = (inputs: Tensors) => Promise<Tensor>

/** What a race of our side against itself may vary. */
export type Variant = {
  readonly precision?: 'float32' | 'int8'
  readonly exact?: boolean
  readonly prepack?: boolean
  readonly processor?: AttnProcessor
  readonly fuseQkv?: boolean
  readonly chunk?: readonly [chunkSize: number, dim: number]
}

type Case = {
  readonly output: string
  readonly args?: Args
  /** For a case whose inputs have none. */
  readonly timestep?: Tensor
}

const timestep = float32([1], [500])

/**
 * What is run of each case's full-size checkpoint and compared, by the names of reference.py. Which class it is its
 * config.json says.
 */
export const cases: Readonly<Record<string, Case>> = {
  timesformer: { output: 'logits' },
  'unet-motion': { output: 'sample', timestep },
  temporal: { output: 'sample', args: { num_frames: 16 } },
  prior: { output: 'predicted_image_embedding', timestep },
  pixart: { output: 'sample' },
}

export async function openForward(
  sessions: SessionCache,
  folder: string,
  { output, args, timestep }: Case,
  { processor, fuseQkv, chunk }: Variant,
): Promise<Forward> {
  const { config, weights } = await openCheckpoint(folder)
  const architecture = classOf(classNameOf(config) ?? '')
  if (!architecture) throw new Error(`${folder}: config.json names no class that is run here`)
  const model = new LoadedModel(architecture, config, weights, sessions)
  if (processor) await model.setAttnProcessor(processor)
  if (fuseQkv) model.fuseQkvProjections()
  if (chunk) model.enableForwardChunking(...chunk)
  return async (inputs) => (await model.run('forward', { ...inputs, ...(timestep && { timestep }) }, args))[output]!
}
