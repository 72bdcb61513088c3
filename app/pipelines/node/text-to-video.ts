import { openIpAdapter } from '#app/checkpoints/layouts/ip-adapter.ts'
import { openAdapter } from '#app/checkpoints/open-model.ts'
import type { LongClip, SplitInference } from '#app/contract/long-clips.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { ConditioningSettings } from '#app/contract/pipelines/conditioning.ts'
import type { TextToVideoSettings } from '#app/contract/pipelines/text-to-video.ts'
import { joinUNetMotion } from '#app/loaded/unet-motion.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import type { DiffusionParts } from '../diffusion.ts'
import { textToVideo } from '../text-to-video.ts'
import { openSteered } from './open-conditioning.ts'
import type { RunContext, Runner, RunOf, RunTools } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { openStableDiffusion, type DiffusionOptions, type OpenDiffusion } from './stable-diffusion.ts'

export type MotionOptions = DiffusionOptions & {
  readonly longClip?: LongClip | null
  readonly splitInference?: SplitInference | null
  /** Files of IP-Adapters, in the order in which the run shows them pictures. */
  readonly ipAdapters?: readonly string[]
}

/**
 * Opens a Stable Diffusion folder or single-file checkpoint, with a MotionAdapter folder or a file of motion modules
 * where its UNet is two-dimensional. Throws bad-model or bad-input naming the file or key.
 */
export async function openTextToVideo(
  sessions: SessionCache,
  path: string,
  adapterPath: string | null,
  options: MotionOptions,
): Promise<OpenDiffusion & { readonly timeCondProjDim: number | null }> {
  const adapter = adapterPath === null ? undefined : await openAdapter(adapterPath)
  const ipAdapters = await Promise.all((options.ipAdapters ?? []).map((file) => openIpAdapter(file)))
  let timeCondProjDim: number | null = null
  const opened = await openStableDiffusion(
    sessions,
    path,
    (sessions, unet) => {
      if (!adapter && unet.config._class_name !== 'UNetMotionModel')
        throw new ProblemError('bad-input', 'This model makes stills; choose a motion adapter to make it move.', {
          field: 'motionAdapter',
        })
      const denoiser = joinUNetMotion(sessions, unet, adapter)
      timeCondProjDim = denoiser.config.time_cond_proj_dim ?? null
      for (const one of ipAdapters) denoiser.loadIpAdapter(one)
      if (options.longClip?.kind === 'freenoise') denoiser.enableFreeNoise(options.longClip)
      if (options.splitInference) denoiser.enableFreeNoiseSplitInference(options.splitInference)
      return { denoiser, ...(adapter && { checkpoints: { motion_adapter: adapter } }) }
    },
    options,
  )
  return { ...opened, timeCondProjDim }
}

/** How a run over such a checkpoint opens it for a clip of so many frames, with all that steers it. */
export const openClipParts = (tools: RunTools, request: ClipRun, numFrames: number, context: RunContext) =>
  openSteered(tools, request, numFrames, context, async (path, options) => {
    const { models, settings } = request
    const { longClip, splitInference } = settings
    const adapter = models.motionAdapter?.[0]?.folder ?? null
    const opened = await openTextToVideo(tools.sessions, path, adapter, { ...options, longClip, splitInference })
    return { ...opened, parts: untilCancelled(opened.parts, context) }
  })

/** A step of a long clip is many calls of the model: a cancel is heard before each. */
export const untilCancelled = <P extends DiffusionParts>(parts: P, context: RunContext): P => ({
  ...parts,
  denoise: (inputs) => {
    context.checkCancelled()
    return parts.denoise(inputs)
  },
})

type ClipRun = Pick<RunOf<'text-to-video'>, 'models' | 'media'> & {
  settings: ConditioningSettings & Pick<TextToVideoSettings, 'longClip' | 'splitInference'>
}

export const runTextToVideo: Runner<'text-to-video'> = (tools, request, context) =>
  runDiffusion(tools, request, context, {
    frames: request.settings.numFrames,
    fps: request.settings.fps,
    open: openClipParts(tools, request, request.settings.numFrames, context),
    run: (parts, freeuAt) => textToVideo(parts, { ...request.settings, conditioning: parts.conditioning }, freeuAt),
  })
