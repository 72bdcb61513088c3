import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import { parseConfig } from '#app/models/model.ts'
import { joinedConfig, joinedWeights, motionAdapterConfig } from '#app/models/unet-motion-join.ts'
import type { UNetMotionConfig } from '#app/models/unet-motion-config.ts'
import { unetMotionModel } from '#app/models/unet-motion.ts'
import { FreeUModel } from '../freeu-model.ts'
import type { SessionCache } from '../session-cache.ts'

/** UNetMotionModel with diffusers' own calls. */
export class UNetMotion extends FreeUModel<UNetMotionConfig> {}

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
