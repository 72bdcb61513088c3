import { ProblemError } from '#app/contract/errors.ts'
import { openUNet3D } from '#app/loaded/denoiser.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { textToVideoSd, videoToVideoSd } from '../text-to-video-sd.ts'
import { fittedClip } from './read-media.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { openStableDiffusion, type DiffusionOptions, type OpenDiffusion } from './stable-diffusion.ts'

/** Opens the folder of a TextToVideoSDPipeline. Throws bad-model or bad-input naming the file or key. */
export const openTextToVideoSd = (
  sessions: SessionCache,
  path: string,
  options: DiffusionOptions,
): Promise<OpenDiffusion> =>
  openStableDiffusion(
    sessions,
    path,
    (sessions, unet) => {
      const className = unet.config._class_name
      if (className !== 'UNet3DConditionModel')
        throw new ProblemError(
          'bad-model',
          `${path}: its unet is a ${String(className)}, not a UNet3DConditionModel.`,
          {
            field: 'model',
          },
        )
      return { denoiser: openUNet3D(sessions, unet) }
    },
    options,
  )

export const runTextToVideoSd: Runner<'text-to-video-sd'> = (tools, request, context) =>
  runDiffusion(tools, request, context, {
    frames: request.settings.numFrames,
    fps: request.settings.fps,
    open: (path, options) => openTextToVideoSd(tools.sessions, path, options),
    run: (parts, freeuAt) => textToVideoSd(parts, { ...request.settings, prompts: [request.settings] }, freeuAt),
  })

export const runVideoToVideoSd: Runner<'video-to-video-sd'> = async function* (tools, request, context) {
  const { settings } = request
  // Before the model: what cannot be read is told of at once.
  const video = await fittedClip(request, 'video', settings, context.signal)
  return yield* runDiffusion(tools, request, context, {
    frames: video.length,
    fps: settings.fps,
    open: (path, options) => openTextToVideoSd(tools.sessions, path, options),
    run: (parts, freeuAt) => videoToVideoSd(parts, { ...settings, video }, freeuAt),
  })
}
