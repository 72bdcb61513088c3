import { openAdapter } from '#app/checkpoints/open-model.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { joinUNetMotion } from '#app/loaded/unet-motion.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { textToVideo } from '../text-to-video.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { openStableDiffusion, type DiffusionOptions, type OpenDiffusion } from './stable-diffusion.ts'

/**
 * Opens a Stable Diffusion folder or single-file checkpoint, with a MotionAdapter folder or a file of motion modules
 * where its UNet is two-dimensional. Throws bad-model or bad-input naming the file or key.
 */
export async function openTextToVideo(
  sessions: SessionCache,
  path: string,
  adapterPath: string | null,
  options: DiffusionOptions,
): Promise<OpenDiffusion> {
  const adapter = adapterPath === null ? undefined : await openAdapter(adapterPath)
  return openStableDiffusion(
    sessions,
    path,
    (sessions, unet) => {
      if (!adapter && unet.config._class_name !== 'UNetMotionModel')
        throw new ProblemError('bad-input', 'This model makes stills; choose a motion adapter to make it move.', {
          field: 'motionAdapter',
        })
      const denoiser = joinUNetMotion(sessions, unet, adapter)
      return { denoiser, ...(adapter && { checkpoints: { motion_adapter: adapter } }) }
    },
    options,
  )
}

export const runTextToVideo: Runner<'text-to-video'> = (tools, request, context) =>
  runDiffusion(tools, request, context, {
    frames: request.settings.numFrames,
    fps: request.settings.fps,
    open: (path, options) =>
      openTextToVideo(tools.sessions, path, request.models.motionAdapter?.[0]?.folder ?? null, options),
    run: (parts, freeuAt) => textToVideo(parts, request.settings, freeuAt),
  })
