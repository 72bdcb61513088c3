import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { type DType, sizeOf } from '#app/tensor/tensor.ts'
import { quoted, reasonOf } from './file.ts'
import { readJson } from './json.ts'
import { findWeights } from './layout.ts'
import { openWeightsFile } from './open.ts'
import { openShards } from './shards.ts'
import type { Weights } from './weights.ts'

/** What the weights amount to. `dtypes` counts parameters; `precision` is the dtype of most of them. */
export type WeightSummary = {
  readonly parameters: number
  readonly bytes: number
  readonly precision: DType | undefined
  readonly dtypes: Readonly<Partial<Record<DType, number>>>
}

/** A Hugging Face model folder, opened: its config and where its weights are. No weight has been read. */
export type Checkpoint = {
  /** Absolute, with symbolic links resolved. */
  readonly folder: string
  readonly config: Record<string, unknown>
  readonly weights: Weights
  /** The weight files, absolute; links are resolved, so those of a hub cache are its blobs. */
  readonly files: readonly string[]
  /** fp16 for instance, when the weights of a variant were opened. */
  readonly variant?: string
  readonly summary: WeightSummary
}

const configSchema = z.record(z.string(), z.unknown())

/**
 * Opens a folder of diffusers or transformers: config.json, and weights as one file or in shards, as safetensors or as
 * PyTorch zips. Without `variant` the plain weights, or the fp16 ones when there are no others.
 * Throws `not-found` without the folder, `bad-model` naming the file and what is wrong with it.
 */
export async function openCheckpoint(
  folder: string,
  { variant }: { variant?: string | undefined } = {},
): Promise<Checkpoint> {
  const present = await namesIn(folder)
  if (!present.has('config.json'))
    throw new ProblemError(
      'bad-model',
      present.has('model_index.json')
        ? `${folder} is a whole pipeline (model_index.json): give one of its model folders, such as unet.`
        : `${folder} has no config.json, so it is no model folder.`,
      { file: folder },
    )
  const configFile = join(folder, 'config.json')
  const config = configSchema.safeParse(await readJson(configFile))
  if (!config.success)
    throw new ProblemError('bad-model', `${configFile} must hold a JSON object.`, { file: configFile })

  const found = findWeights(folder, present, variant)
  const { weights, names } =
    found.kind === 'sharded'
      ? await openShards(folder, found.name)
      : { ...(await openWeightsFile(join(folder, found.name))), names: [found.name] }
  return {
    folder: await realpath(folder),
    config: config.data,
    weights,
    files: await Promise.all(names.map((name) => realpath(join(folder, name)))),
    ...(found.variant === undefined ? {} : { variant: found.variant }),
    summary: summarise(weights),
  }
}

async function namesIn(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder))
  } catch (cause) {
    throw new ProblemError('not-found', `The folder ${quoted(folder)} cannot be read: ${reasonOf(cause)}.`, {
      file: folder,
      cause,
    })
  }
}

export function summarise(weights: Weights): WeightSummary {
  const dtypes: Partial<Record<DType, number>> = {}
  let parameters = 0
  let bytes = 0
  for (const { dtype, shape, source } of weights.values()) {
    const count = sizeOf(shape)
    parameters += count
    bytes += 'bytes' in source ? source.bytes.length : source.length
    dtypes[dtype] = (dtypes[dtype] ?? 0) + count
  }
  const [most] = Object.entries(dtypes).sort(([, a], [, b]) => b - a)
  return { parameters, bytes, precision: most?.[0] as DType | undefined, dtypes }
}
