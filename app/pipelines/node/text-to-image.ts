import { ProblemError } from '#app/contract/errors.ts'
import { openUNet2D } from '#app/loaded/denoiser.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { textToImage, type TextToImageParts } from '../text-to-image.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { openStableDiffusion, type DiffusionOptions, type Opened } from './stable-diffusion.ts'

/** Opens a Stable Diffusion folder or single-file checkpoint. Throws bad-model or bad-input naming the file or key. */
export async function openTextToImage(
  sessions: SessionCache,
  path: string,
  options: DiffusionOptions,
): Promise<Opened<TextToImageParts>> {
  let timeCondProjDim: number | null = null
  const opened = await openStableDiffusion(
    sessions,
    path,
    (sessions, unet) => {
      if (unet.config._class_name === 'UNetMotionModel')
        throw new ProblemError('bad-input', 'This model has motion modules inside and makes clips only.', {
          field: 'model',
        })
      const denoiser = openUNet2D(sessions, unet)
      timeCondProjDim = denoiser.config.time_cond_proj_dim ?? null
      return { denoiser }
    },
    { ...options, updatesSchedule: true },
  )
  return { ...opened, parts: { ...opened.parts, timeCondProjDim } }
}

export const runTextToImage: Runner<'text-to-image'> = (tools, request, context) =>
  runDiffusion(tools, request, context, {
    frames: 1,
    fps: 1,
    open: (path, options) => openTextToImage(tools.sessions, path, options),
    run: (parts, freeuAt) => textToImage(parts, { ...request.settings, prompts: [request.settings] }, freeuAt),
  })
