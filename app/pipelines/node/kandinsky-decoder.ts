import { join } from 'node:path'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { openUNet2D } from '#app/loaded/denoiser.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { vqModel } from '#app/models/vq-model.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { DecoderParts } from '../kandinsky-decoder.ts'
import { isSmallDecoder } from './preview.ts'
import type { OpenOptions } from './prior.ts'
import { openScheduler, type Schedule } from './scheduler.ts'

/**
 * Opens the folder of a Kandinsky 2.2 decoder: unet, movq, scheduler. `isSmall`: pictures may be decoded at each step.
 * Throws bad-model naming the file or key.
 */
export async function openDecoder(
  sessions: SessionCache,
  folder: string,
  options: OpenOptions & { readonly schedule?: Schedule } = {},
): Promise<DecoderParts & { readonly isSmall: boolean }> {
  const denoiser = openUNet2D(sessions, await openCheckpoint(join(folder, 'unet')))
  const { config, weights } = await openCheckpoint(join(folder, 'movq'))
  const movq = new LoadedModel(vqModel, config, weights, sessions)
  const compute = { ...sessions.compute, ...options.compute }
  denoiser.computeWith(compute, options.onQuantizing)
  // docs/decisions/precision.md, "Frames are decoded in float32"
  movq.computeWith({ ...compute, precision: 'float32' })
  return {
    async denoise({ sample, timestep, imageEmbeds }) {
      const inputs = { sample, timestep, 'added_cond_kwargs.image_embeds': imageEmbeds }
      return toFloat32((await denoiser.run('forward', inputs)).sample)
    },
    decode: async (latents) =>
      toFloat32((await movq.run('decode', { h: latents }, { force_not_quantize: true })).sample),
    encode: async (image) => toFloat32((await movq.run('encode', { x: image })).latents),
    createScheduler: await openScheduler(join(folder, 'scheduler'), options.schedule),
    denoiserClass: denoiser.architecture.className,
    latentChannels: denoiser.config.in_channels,
    isSmall: isSmallDecoder(weights),
    scaleFactor: 2 ** (movq.config.block_out_channels.length - 1),
  }
}
