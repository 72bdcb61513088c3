import type { Checkpoint } from '#app/checkpoints/folder.ts'
import { unet2dConditionModel } from '#app/models/unet-2d-condition.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { LoadedModel } from './loaded-model.ts'
import { joinUNetMotion } from './unet-motion.ts'

/** A UNet2DConditionModel with FreeU. */
export const openUNet2D = (sessions: SessionCache, { config, weights }: Checkpoint) =>
  new LoadedModel(unet2dConditionModel, config, weights, sessions)

/**
 * The UNet of a Stable Diffusion checkpoint: a motion UNet where it is one or has an adapter beside it, else one that
 * makes stills.
 */
export const openDenoiser = (sessions: SessionCache, unet: Checkpoint, adapter?: Checkpoint) =>
  adapter || unet.config._class_name === 'UNetMotionModel'
    ? joinUNetMotion(sessions, unet, adapter)
    : openUNet2D(sessions, unet)
