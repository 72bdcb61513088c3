import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '#app/checkpoints/file.ts'
import type { Checkpoint } from '#app/checkpoints/folder.ts'
import { writeWeights } from '#app/checkpoints/write.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { parseConfig } from '#app/models/model.ts'
import { joinedConfig, joinedWeights, motionAdapterConfig } from '#app/models/unet-motion-join.ts'
import type { UNetMotionConfig } from '#app/models/unet-motion-config.ts'
import { unetMotionModel } from '#app/models/unet-motion.ts'
import { adapterConfigOf, adapterWeights, checkExchange, isMotionKey } from '#app/models/motion-adapter.ts'
import { FreeUModel } from '../freeu-model.ts'
import type { SessionCache } from '../session-cache.ts'
import { openAdapter, openModel } from './checkpoint.ts'

export type ParameterLists = { readonly frozen: readonly string[]; readonly trainable: readonly string[] }

/** UNetMotionModel with diffusers' own calls. */
export class UNetMotion extends FreeUModel<UNetMotionConfig> {
  /**
   * Exchanges the motion modules for those of a MotionAdapter (opened, or its folder or file). The UNet below stays mapped as it is.
   * Source: unet_motion_model.py@58eb52c load_motion_modules. Throws bad-input naming the setting in which the adapter differs.
   */
  async loadMotionModules(adapter: Checkpoint | string): Promise<void> {
    const { config, weights } = typeof adapter === 'string' ? await openAdapter(adapter) : adapter
    checkExchange(this.config, parseConfig({ className: 'MotionAdapter', config: motionAdapterConfig }, config))
    this.replaceWeights(joinedWeights(this.weights, weights))
  }

  /**
   * Writes the motion modules as a MotionAdapter folder: config.json and one safetensors file, with the variant in its name. LoRAs are
   * not in it. Source: unet_motion_model.py@58eb52c save_motion_modules. Throws `disk` when it cannot be written.
   */
  async saveMotionModules(folder: string, { variant }: { variant?: string } = {}): Promise<void> {
    if (variant !== undefined && !/^[\w-]+$/.test(variant))
      throw new ProblemError('bad-input', `The variant "${variant}" must be a plain word such as fp16.`, {
        field: 'variant',
      })
    const name = `diffusion_pytorch_model${variant === undefined ? '' : `.${variant}`}.safetensors`
    try {
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'config.json'), `${JSON.stringify(adapterConfigOf(this.config), null, 2)}\n`)
    } catch (cause) {
      throw new ProblemError('disk', `${folder} cannot be written: ${reasonOf(cause)}.`, { file: folder, cause })
    }
    await writeWeights(join(folder, name), adapterWeights(this.weights, this.config), { format: 'pt' })
  }

  /**
   * What stays as it is and what may be trained when only the motion is: the UNet's own weights, and those of the motion modules.
   * Source: unet_motion_model.py@58eb52c freeze_unet2d_params. Weights are files that are never written here, so nothing has to be
   * set: the base is one mapping, whatever motion modules are exchanged above it.
   */
  freezeUnet2dParams(): ParameterLists {
    const keys = [...this.weights.keys()].filter((key) => !key.endsWith('.pos_embed.pe'))
    return { frozen: keys.filter((key) => !isMotionKey(key)), trainable: keys.filter(isMotionKey) }
  }
}

/**
 * Opens a UNetMotionModel folder, or joins a UNet2DConditionModel folder or single-file checkpoint with a MotionAdapter folder or a
 * file of motion modules.
 * Throws bad-model or bad-input naming the key or file that does not fit.
 */
export async function openUNetMotion(
  sessions: SessionCache,
  unetFolder: string,
  adapterFolder?: string,
): Promise<UNetMotion> {
  return joinUNetMotion(
    sessions,
    await openModel(unetFolder),
    adapterFolder === undefined ? undefined : await openAdapter(adapterFolder),
  )
}

export function joinUNetMotion(sessions: SessionCache, unet: Checkpoint, adapter?: Checkpoint): UNetMotion {
  if (!adapter) return new UNetMotion(unetMotionModel, unet.config, unet.weights, sessions)
  if (unet.config._class_name === 'UNetMotionModel')
    return new UNetMotion(unetMotionModel, unet.config, joinedWeights(unet.weights, adapter.weights), sessions)
  const adapterConfig = parseConfig({ className: 'MotionAdapter', config: motionAdapterConfig }, adapter.config)
  const weights = joinedWeights(unet.weights, adapter.weights)
  return new UNetMotion(unetMotionModel, joinedConfig(unet.config, adapterConfig), weights, sessions)
}
