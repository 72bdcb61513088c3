import type { Checkpoint } from '#app/checkpoints/folder.ts'
import { unet2dConditionModel } from '#app/models/unet-2d-condition.ts'
import { unet3dConditionModel } from '#app/models/unet-3d-condition.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { LoadedModel } from './loaded-model.ts'
import { joinUNetMotion } from './unet-motion.ts'

/** A UNet2DConditionModel with FreeU. */
export const openUNet2D = (sessions: SessionCache, { config, weights }: Checkpoint) =>
  new LoadedModel(unet2dConditionModel, config, weights, sessions)

/** A UNet3DConditionModel, with convolutions and transformers over time. */
export const openUNet3D = (sessions: SessionCache, { config, weights }: Checkpoint) =>
  new LoadedModel(unet3dConditionModel, config, weights, sessions)

/**
 * The UNet of a pipeline: a motion UNet where it is one or has an adapter beside it, one with time inside, or else one
 * that makes stills.
 */
export function openDenoiser(sessions: SessionCache, unet: Checkpoint, adapter?: Checkpoint) {
  if (adapter || unet.config._class_name === 'UNetMotionModel') return joinUNetMotion(sessions, unet, adapter)
  return unet.config._class_name === 'UNet3DConditionModel' ? openUNet3D(sessions, unet) : openUNet2D(sessions, unet)
}
