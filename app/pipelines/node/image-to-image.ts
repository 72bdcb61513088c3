import { imageToImage } from '../image-to-image.ts'
import { openSteeredStill } from './open-conditioning.ts'
import { fittedImage } from './read-media.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { openTextToImage } from './text-to-image.ts'

export const runImageToImage: Runner<'image-to-image'> = async function* (tools, request, context) {
  const { settings } = request
  // Before the model: what cannot be read is told of at once.
  const image = await fittedImage(request, 'image', settings, context.signal)
  const open = openSteeredStill(openTextToImage, tools, request, context)
  return yield* runDiffusion(tools, request, context, {
    frames: 1,
    fps: 1,
    open,
    run: (parts, freeuAt) =>
      imageToImage(parts, { ...settings, image, prompts: [settings], conditioning: parts.conditioning }, freeuAt),
  })
}
