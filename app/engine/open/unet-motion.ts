import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import type { FreeU } from '#app/contract/settings.ts'
import { parseConfig } from '#app/models/model.ts'
import { joinedConfig, joinedWeights, motionAdapterConfig } from '#app/models/unet-motion-join.ts'
import type { UNetMotionConfig } from '#app/models/unet-motion-config.ts'
import { unetMotionModel } from '#app/models/unet-motion.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { LoadedModel } from '../loaded-model.ts'
import type { SessionCache } from '../session-cache.ts'

const off: FreeU = { s1: 1, s2: 1, b1: 1, b2: 1 }

/** UNetMotionModel with diffusers' own calls. FreeU's factors are inputs of the graph: changing them compiles and loads nothing. */
export class UNetMotion extends LoadedModel<UNetMotionConfig> {
  #freeu = off

  /** Source: unet_motion_model.py@58eb52c enable_freeu. A factor of 0 means 0, not "off". */
  enableFreeu(freeu: FreeU): void {
    this.#freeu = freeu
  }

  disableFreeu(): void {
    this.#freeu = off
  }

  override withDefaults(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const { s1, s2, b1, b2 } = this.#freeu
    return { ...inputs, freeu: float32([4], [s1, s2, b1, b2]) }
  }
}

/**
 * Opens a UNetMotionModel folder, or joins a UNet2DConditionModel folder with a MotionAdapter folder.
 * Throws bad-model or bad-input naming the key or file that does not fit.
 */
export async function openUNetMotion(
  sessions: SessionCache,
  unetFolder: string,
  adapterFolder?: string,
): Promise<UNetMotion> {
  return joinUNetMotion(
    sessions,
    await openCheckpoint(unetFolder),
    adapterFolder === undefined ? undefined : await openCheckpoint(adapterFolder),
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
