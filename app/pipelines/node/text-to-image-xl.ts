import { ProblemError } from '#app/contract/errors.ts'
import type { SdxlSettings } from '#app/contract/pipelines/stable-diffusion-xl.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import type { SdxlPrompt } from '../sdxl-prompt.ts'
import { textToImageXl, type SdxlParts } from '../text-to-image-xl.ts'
import { openSteeredStill } from './open-conditioning.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import type { OpenDiffusion } from './stable-diffusion.ts'
import { openTextToImage, type StillOptions } from './text-to-image.ts'

/** Opens a Stable Diffusion XL folder or single-file checkpoint. Throws as `openTextToImage` does. */
export async function openTextToImageXl(
  sessions: SessionCache,
  path: string,
  options: StillOptions,
): Promise<OpenDiffusion & { readonly parts: SdxlParts }> {
  const opened = await openTextToImage(sessions, path, options)
  if (!opened.xl)
    throw new ProblemError('bad-input', 'This model has one text encoder: it is no Stable Diffusion XL model.', {
      field: 'model',
    })
  if (opened.autoencoder.isNormalised)
    throw new ProblemError(
      'unsupported',
      'vae/config.json has latents_mean and latents_std, which are not honoured here: choose another model.',
      { field: 'model' },
    )
  return { ...opened, parts: { ...opened.parts, text: opened.xl } }
}

/** An empty field is as if it was not given. */
export const sdxlPrompt = (settings: SdxlSettings): SdxlPrompt => ({
  prompt: settings.prompt,
  prompt2: settings.prompt2 || null,
  negativePrompt: settings.negativePrompt || settings.negativePrompt2 ? settings.negativePrompt : null,
  negativePrompt2: settings.negativePrompt2 || null,
})

export const runTextToImageXl: Runner<'text-to-image-xl'> = (tools, request, context) => {
  const open = openSteeredStill(openTextToImageXl, tools, request, context)
  return runDiffusion(tools, request, context, {
    frames: 1,
    fps: 1,
    open,
    run: (parts, freeuAt) =>
      textToImageXl(
        parts,
        { ...request.settings, prompts: [sdxlPrompt(request.settings)], conditioning: parts.conditioning },
        freeuAt,
      ),
  })
}
