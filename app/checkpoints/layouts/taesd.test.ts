import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../folder.ts'
import { openVae } from '../open-part.ts'
import { goldens, temporaryFolder } from '../testing.ts'
import type { Weights } from '../weights.ts'
import { writeWeights } from '../write.ts'
import { renamed } from './views.ts'

const folder = join(goldens, 'checkpoints/autoencoder-tiny-taesd')

/** Writes the weights whose keys `name` gives a name in the file. */
async function write(file: string, weights: Weights, name: (key: string) => string | undefined): Promise<void> {
  const kept = [...weights].flatMap(([key, weight]) => {
    const other = name(key)
    return other === undefined ? [] : [renamed(weight, other)]
  })
  await writeWeights(file, kept)
}

/** A half with the keys of madebyollin/taesd: the decoder begins with a layer that has no weights. */
const half =
  (name: 'encoder' | 'decoder', prefix = '') =>
  (key: string): string | undefined => {
    const [, own, at, rest] = /^(\w+)\.layers\.(\d+)\.(.*)$/.exec(key)!
    return own === name ? `${prefix}${Number(at) + (own === 'decoder' ? 1 : 0)}.${rest}` : undefined
  }

const shapesOf = (weights: Weights): Record<string, readonly number[]> =>
  Object.fromEntries([...weights].map(([key, { shape }]) => [key, shape]))

test('both halves of a tiny autoencoder, in the files that people have, are the folder', async () => {
  const { config, weights } = await openCheckpoint(folder)
  const root = await temporaryFolder()
  const path = (name: string): string => join(root, name)
  await write(path('taesd_decoder.safetensors'), weights, half('decoder'))
  const alone = await openVae(path('taesd_decoder.safetensors'))
  expect([...alone.weights.keys()].every((key) => key.startsWith('decoder.'))).toBe(true)
  expect(alone.config).toMatchObject({
    decoder_block_out_channels: config.decoder_block_out_channels,
    num_decoder_blocks: config.num_decoder_blocks,
    latent_channels: 4,
    scaling_factor: 1,
  })

  await write(path('taesd_encoder.safetensors'), weights, half('encoder'))
  await write(path('taesd.safetensors'), weights, (key) => key)
  await write(path('comfy.safetensors'), weights, (key) => half('encoder', 'taesd_encoder.')(key) ?? half('decoder', 'taesd_decoder.')(key)) // prettier-ignore
  for (const name of ['taesd_decoder.safetensors', 'taesd.safetensors', 'comfy.safetensors']) {
    const opened = await openVae(path(name))
    expect(shapesOf(opened.weights)).toEqual(shapesOf(weights))
    expect(opened.files).toHaveLength(name === 'taesd_decoder.safetensors' ? 2 : 1)
    expect(opened.config).toMatchObject({
      _class_name: 'AutoencoderTiny',
      encoder_block_out_channels: config.encoder_block_out_channels,
      num_encoder_blocks: config.num_encoder_blocks,
      num_decoder_blocks: config.num_decoder_blocks,
    })
  }
})

test('an encoder alone is refused, and says what is missing', async () => {
  const { weights } = await openCheckpoint(folder)
  const file = join(await temporaryFolder(), 'taesd_encoder.safetensors')
  await write(file, weights, half('encoder'))
  await expect(openVae(file)).rejects.toThrow(/Put the other half beside it, taesd_decoder\.safetensors/)
})
