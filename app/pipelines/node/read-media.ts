import type { LocatedMedia } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { PipelineName } from '#app/contract/pipelines.ts'
import type { Fields } from '#app/contract/pipelines/fields.ts'
import { fitPicture, pictureTensor } from '#app/media/fit-picture.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { openSource } from './clip-source.ts'
import type { RunOf } from './run.ts'

type WithMedia = Pick<RunOf<PipelineName>, 'pipeline' | 'media'>

/** The file in a role that has one. A clip among them is read with `openSource`. */
export function mediaFor({ pipeline, media }: WithMedia, role: string): LocatedMedia {
  const [first] = media?.[role] ?? []
  if (!first) throw new Error(`${pipeline} needs a file for ${role}`)
  return first
}

/** A picture, or the first frame of a clip, upright. Throws bad-media naming the file as the user knows it. */
export async function readStill(source: LocatedMedia, signal: AbortSignal): Promise<RgbFrame> {
  const { frames } = await openSource(source, signal)
  for await (const frame of frames([0])) return frame
  throw new ProblemError('bad-media', `${source.name} has no picture in it.`, { file: source.name })
}

/** The picture in a role, at the size of the settings, as an autoencoder takes it. Throws as `readStill` does. */
export async function fittedImage(
  request: WithMedia,
  role: string,
  { width, height, resizeMode }: Pick<Fields, 'width' | 'height' | 'resizeMode'>,
  signal: AbortSignal,
): Promise<Tensor<'float32'>> {
  return pictureTensor(fitPicture(await readStill(mediaFor(request, role), signal), width, height, resizeMode))
}

/** The first frames of the clip in a role, as many as the settings have, each as `fittedImage` gives one. */
export async function fittedClip(
  request: WithMedia,
  role: string,
  { width, height, resizeMode, numFrames }: Pick<Fields, 'width' | 'height' | 'resizeMode' | 'numFrames'>,
  signal: AbortSignal,
): Promise<Tensor<'float32'>[]> {
  const source = mediaFor(request, role)
  const { frameCount, frames } = await openSource(source, signal)
  const wanted = Array.from({ length: Math.min(numFrames, frameCount) }, (_, i) => i)
  const fitted: Tensor<'float32'>[] = []
  for await (const frame of frames(wanted)) fitted.push(pictureTensor(fitPicture(frame, width, height, resizeMode)))
  if (fitted.length > 0) return fitted
  throw new ProblemError('bad-media', `${source.name} has no frames in it.`, { file: source.name })
}
