import { openIpAdapter } from '#app/checkpoints/layouts/ip-adapter.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { openUNet2D } from '#app/loaded/denoiser.ts'
import { withIpAdapter } from '#app/loaded/ip-adapter.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { textToImage, type TextToImageParts } from '../text-to-image.ts'
import { openSteeredStill } from './open-conditioning.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { openStableDiffusion, type DiffusionOptions, type Opened } from './stable-diffusion.ts'

export type StillOptions = DiffusionOptions & {
  /** Files of IP-Adapters, in the order in which the run shows them pictures. */
  readonly ipAdapters?: readonly string[]
}

/** Opens a Stable Diffusion folder or single-file checkpoint. Throws bad-model or bad-input naming the file or key. */
export async function openTextToImage(
  sessions: SessionCache,
  path: string,
  options: StillOptions,
): Promise<Opened<TextToImageParts>> {
  let timeCondProjDim: number | null = null
  const ipAdapters = await Promise.all((options.ipAdapters ?? []).map((file) => openIpAdapter(file)))
  const opened = await openStableDiffusion(
    sessions,
    path,
    (sessions, unet) => {
      if (unet.config._class_name === 'UNetMotionModel')
        throw new ProblemError('bad-input', 'This model has motion modules inside and makes clips only.', {
          field: 'model',
        })
      const weights = ipAdapters.reduce((all, adapter, i) => withIpAdapter(all, adapter, i), unet.weights)
      const denoiser = openUNet2D(sessions, { ...unet, weights })
      timeCondProjDim = denoiser.config.time_cond_proj_dim ?? null
      return { denoiser }
    },
    { ...options, updatesSchedule: true },
  )
  return { ...opened, parts: { ...opened.parts, timeCondProjDim } }
}

export const runTextToImage: Runner<'text-to-image'> = (tools, request, context) => {
  const open = openSteeredStill(openTextToImage, tools, request, context)
  return runDiffusion(tools, request, context, {
    frames: 1,
    fps: 1,
    open,
    run: (parts, freeuAt) =>
      textToImage(
        parts,
        { ...request.settings, prompts: [request.settings], conditioning: parts.conditioning },
        freeuAt,
      ),
  })
}
