import type { Checkpoint } from '#app/checkpoints/folder.ts'
import type { Compute } from '#app/contract/compute.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { decodeTiled } from '#app/loaded/tiled-decode.ts'
import { autoencoderKl } from '#app/models/autoencoder-kl.ts'
import { autoencoderTiny } from '#app/models/autoencoder-tiny.ts'
import { classNameOf } from '#app/models/classes.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { DiffusionParts } from '../diffusion.ts'

/** An autoencoder of either kind as functions of tensors. */
export type Autoencoder = Pick<
  DiffusionParts,
  'decode' | 'encode' | 'latentChannels' | 'vaeScaleFactor' | 'scalingFactor'
> & {
  /** Its latents have a mean and a deviation of their own for each channel. */
  readonly isNormalised: boolean
  /** It decodes for a hundredth of what AutoencoderKL takes. */
  readonly isTiny: boolean
}

/**
 * Opens a folder's or a file's autoencoder, in float32; with a `tileSize`, in pixels, it decodes in tiles, but for a
 * tiny one. Throws bad-model naming the key of its config.
 */
export function openAutoencoder(
  { config: json, weights }: Pick<Checkpoint, 'config' | 'weights'>,
  sessions: SessionCache,
  compute: Compute,
  tileSize: number | null = null,
): Autoencoder {
  // Errors in frames are seen as they are, and decoding takes a small part of a run (docs/decisions/precision.md,
  // "Frames are decoded in float32").
  const how = { ...compute, precision: 'float32' } as const
  if (classNameOf(json) === autoencoderTiny.className) {
    const model = new LoadedModel(autoencoderTiny, json, weights, sessions)
    model.computeWith(how)
    const { config } = model
    return {
      decode: async (z) => toFloat32((await model.run('decode', { z })).sample),
      encode: async (x) => ({ mean: toFloat32((await model.run('encode', { x })).latents) }),
      latentChannels: config.latent_channels,
      vaeScaleFactor: 2 ** (config.decoder_block_out_channels.length - 1),
      scalingFactor: config.scaling_factor,
      isNormalised: false,
      isTiny: true,
    }
  }
  const model = new LoadedModel(autoencoderKl, json, weights, sessions)
  model.computeWith(how)
  const { config } = model
  return {
    decode: async (z) =>
      tileSize === null ? toFloat32((await model.run('decode', { z })).sample) : decodeTiled(model, z, tileSize),
    async encode(x) {
      const { mean, std } = await model.run('encode', { x })
      return { mean: toFloat32(mean), std: toFloat32(std) }
    },
    latentChannels: config.latent_channels,
    vaeScaleFactor: 2 ** (config.block_out_channels.length - 1),
    scalingFactor: config.scaling_factor,
    isNormalised: Boolean(config.latents_mean ?? config.latents_std),
    isTiny: false,
  }
}
