import { ProblemError } from '#app/contract/errors.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { textToVideoXl, type TextToVideoXlParts } from '../text-to-video-xl.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import type { Opened } from './stable-diffusion.ts'
import { sdxlPrompt } from './text-to-image-xl.ts'
import { openTextToVideo, untilCancelled, type MotionOptions } from './text-to-video.ts'

/** Opens a Stable Diffusion XL folder or single-file checkpoint with a motion adapter. Throws as `openTextToVideo`. */
export async function openTextToVideoXl(
  sessions: SessionCache,
  path: string,
  adapterPath: string | null,
  options: MotionOptions,
): Promise<Opened<TextToVideoXlParts>> {
  const { xl: text, timeCondProjDim, ...opened } = await openTextToVideo(sessions, path, adapterPath, options)
  if (!text)
    throw new ProblemError('bad-input', 'This model has one text encoder: it is no Stable Diffusion XL model.', {
      field: 'model',
    })
  return { ...opened, parts: { ...opened.parts, text, timeCondProjDim } }
}

export const runTextToVideoXl: Runner<'text-to-video-xl'> = (tools, request, context) => {
  const { settings, models } = request
  return runDiffusion(tools, request, context, {
    frames: settings.numFrames,
    fps: settings.fps,
    async open(path, options) {
      const { longClip, splitInference } = settings
      const adapter = models.motionAdapter?.[0]?.folder ?? null
      const opened = await openTextToVideoXl(tools.sessions, path, adapter, { ...options, longClip, splitInference })
      return { ...opened, parts: untilCancelled(opened.parts, context) }
    },
    run: (parts, freeuAt) => textToVideoXl(parts, { ...settings, text: sdxlPrompt(settings) }, freeuAt),
  })
}
