import { imageToImageXl } from '../text-to-image-xl.ts'
import { fittedImage } from './read-media.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { openTextToImageXl, sdxlPrompt } from './text-to-image-xl.ts'

export const runImageToImageXl: Runner<'image-to-image-xl'> = async function* (tools, request, context) {
  const { settings } = request
  const image = await fittedImage(request, 'image', settings, context.signal)
  return yield* runDiffusion(tools, request, context, {
    frames: 1,
    fps: 1,
    open: (path, options) => openTextToImageXl(tools.sessions, path, options),
    run: (parts, freeuAt) =>
      imageToImageXl(parts, { ...settings, denoisingEnd: null, image, prompts: [sdxlPrompt(settings)] }, freeuAt),
  })
}
