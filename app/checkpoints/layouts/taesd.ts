import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'
import { openWeightsFile } from '../open.ts'
import type { Weight, Weights } from '../weights.ts'
import { renamed } from './views.ts'

type Half = 'encoder' | 'decoder'

/** A block of a tiny autoencoder: three convolutions, by their places in a torch.nn.Sequential. */
export const tinyBlockKey = /^(?:(?:taesd_)?(?:encoder|decoder)\.(?:layers\.)?)?\d+\.conv\.[024]\.weight$/

/**
 * A tiny autoencoder (TAESD, TAESDXL and their like) of a file without a config: one half with the keys of
 * github.com/madebyollin/taesd (taesd_decoder.safetensors, the other half where it lies beside it), or both with those
 * of diffusers' AutoencoderTiny. What shapes do not tell is as in all of these: ReLU, latents that are not scaled.
 * Throws `bad-model` where there is no decoder, or it is incomplete.
 */
export async function openTaesd(file: string, weights: Weights): Promise<{ config: object; weights: Weights }> {
  const found = new Map<string, Weight>([...halvesOf(weights), ...(await otherHalf(file, weights))])
  const decoder = levelsOf(found, 'decoder', file)
  if (!decoder)
    throw new ProblemError(
      'bad-model',
      `${file} is the half of a tiny autoencoder that reads pictures. Put the other half beside it, ${otherName(file)}.`,
      { file },
    )
  const encoder = levelsOf(found, 'encoder', file)
  return {
    weights: found,
    config: {
      _class_name: 'AutoencoderTiny',
      latent_channels: found.get('decoder.layers.0.weight')!.shape[1],
      decoder_block_out_channels: decoder.channels,
      num_decoder_blocks: decoder.blocks,
      ...(encoder && { encoder_block_out_channels: encoder.channels, num_encoder_blocks: encoder.blocks }),
      scaling_factor: 1,
    },
  }
}

/** The weights by diffusers' names. The decoder of the first layout counts the layer that keeps latents in bounds. */
function halvesOf(weights: Weights): Map<string, Weight> {
  const isDecoder = !weights.has('0.weight')
  return new Map(
    [...weights].flatMap(([key, weight]) => {
      const [, named, at, rest] = /^(?:(?:taesd_)?(encoder|decoder)\.(?:layers\.)?)?(\d+)\.(.+)$/.exec(key) ?? []
      if (at === undefined) return []
      const half = named ?? (isDecoder ? 'decoder' : 'encoder')
      const isShifted = half === 'decoder' && !key.includes('.layers.')
      const name = `${half}.layers.${Number(at) - (isShifted ? 1 : 0)}.${rest}`
      return [[name, renamed(weight, name)] as const]
    }),
  )
}

const otherName = (file: string): string =>
  basename(file).replace(/encoder|decoder/i, (half) => (/en/i.test(half) ? 'decoder' : 'encoder'))

/** The encoder that lies beside a decoder. */
async function otherHalf(file: string, weights: Weights): Promise<Map<string, Weight>> {
  const other = join(dirname(file), otherName(file))
  if (other === file || weights.has('0.weight') || !existsSync(other)) return new Map()
  return halvesOf((await openWeightsFile(other)).weights)
}

/** Channels and blocks of each level; a level ends with a convolution that stands alone. */
function levelsOf(weights: Weights, half: Half, file: string): { channels: number[]; blocks: number[] } | undefined {
  const path = (at: number): string => `${half}.layers.${at}`
  const numbers = [...weights.keys()]
    .filter((key) => key.startsWith(`${half}.`))
    .map((key) => Number(key.split('.')[2]))
  if (numbers.length === 0) return undefined
  const channels: number[] = []
  const blocks: number[] = []
  const incomplete = (key: string): never => {
    throw new ProblemError('bad-model', `${file} has no weight "${key}"; it is incomplete.`, { file })
  }
  const first = weights.get(`${path(0)}.weight`) ?? incomplete(`${path(0)}.weight`)
  let width = first.shape[0]!
  let count = 0
  for (const at of [...new Set(numbers)].sort((a, b) => a - b).slice(1)) {
    if (weights.has(`${path(at)}.conv.0.weight`)) {
      count++
      continue
    }
    channels.push(width)
    blocks.push(count)
    width = (weights.get(`${path(at)}.weight`) ?? incomplete(`${path(at)}.weight`)).shape[0]!
    count = 0
  }
  return { channels, blocks }
}
