import { imageToImageXl } from '../text-to-image-xl.ts'
import { openSteeredStill } from './open-conditioning.ts'
import { fittedImage } from './read-media.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { openTextToImageXl, sdxlPrompt } from './text-to-image-xl.ts'

export const runImageToImageXl: Runner<'image-to-image-xl'> = async function* (tools, request, context) {
  const { settings } = request
  const image = await fittedImage(request, 'image', settings, context.signal)
  const open = openSteeredStill(openTextToImageXl, tools, request, context)
  return yield* runDiffusion(tools, request, context, {
    frames: 1,
    fps: 1,
    open,
    run: (parts, freeuAt) =>
      imageToImageXl(
        parts,
        { ...settings, denoisingEnd: null, image, prompts: [sdxlPrompt(settings)], conditioning: parts.conditioning },
        freeuAt,
      ),
  })
}
