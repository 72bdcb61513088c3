import { fitPicture, pictureTensor } from '#app/media/fit-picture.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import type { DiffusionStep, FreeUAt } from '../diffusion.ts'
import type { ClipParts } from '../text-to-video.ts'
import { videoToVideo, type VideoToVideoRequest } from '../video-to-video.ts'
import { openSource } from './clip-source.ts'
import { fittedImage, mediaFor } from './read-media.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { openClipParts } from './text-to-video.ts'

export const runVideoToVideo: Runner<'video-to-video'> = async function* (tools, request, context) {
  const { settings } = request
  const source = mediaFor(request, 'video')
  const clip = await openSource(source, context.signal)
  const count = Math.min(clip.frameCount, settings.numFrames)
  const video: Tensor<'float32'>[] = []
  for await (const frame of clip.frames(Array.from({ length: count }, (_, i) => i))) {
    context.checkCancelled()
    video.push(pictureTensor(fitPicture(frame, settings.width, settings.height, settings.resizeMode)))
  }
  const notes = [...clip.notes, ...(count < settings.numFrames ? [`${source.name} has ${count} frames: so has the result.`] : [])] // prettier-ignore
  return yield* runDiffusion(tools, request, context, {
    frames: count,
    fps: settings.fps,
    open: openClipParts(tools, request, count, context),
    run: (parts, freeuAt) => noted(notes, parts, { ...settings, video, conditioning: parts.conditioning }, freeuAt),
  })
}

export const runImageToVideo: Runner<'image-to-video'> = async function* (tools, request, context) {
  const { settings } = request
  const image = await fittedImage(request, 'image', settings, context.signal)
  const video = Array.from({ length: settings.numFrames }, () => image)
  return yield* runDiffusion(tools, request, context, {
    frames: settings.numFrames,
    fps: settings.fps,
    open: openClipParts(tools, request, settings.numFrames, context),
    run: (parts, freeuAt) => videoToVideo(parts, { ...settings, video, conditioning: parts.conditioning }, freeuAt),
  })
}

async function* noted(
  notes: readonly string[],
  parts: ClipParts,
  request: VideoToVideoRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> {
  for (const note of notes) yield { type: 'note', note }
  yield* videoToVideo(parts, request, freeuAt)
}
