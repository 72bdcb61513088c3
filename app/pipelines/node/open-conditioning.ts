import { imageEncoderBeside, openIpAdapter } from '#app/checkpoints/layouts/ip-adapter.ts'
import type { LocatedMedia, LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type {
  conditioningFields,
  ConditioningSettings,
  StillConditioning,
} from '#app/contract/pipelines/conditioning.ts'
import type { ByRole } from '#app/contract/pipelines/pipeline.ts'
import { canny } from '#app/media/canny.ts'
import { fitPicture } from '#app/media/fit-picture.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { pixelValues, preparePicture, preprocessConfigSchema } from '#app/media/preprocess.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import type { Conditioning, ConditioningParts, ControlRequest, ImageEncoder } from '../conditioning.ts'
import type { DiffusionParts } from '../diffusion.ts'
import { openSource } from './clip-source.ts'
import { openControlNet, openImageEncoder, openSparseControlNet, type Opening } from './conditioning.ts'
import { inOrder } from './in-order.ts'
import { readStill } from './read-media.ts'
import type { RunContext, RunTools } from './run.ts'
import type { DiffusionOptions, Opened } from './stable-diffusion.ts'

type Steering = {
  readonly settings: StillConditioning & Partial<Pick<ConditioningSettings, keyof typeof conditioningFields>>
  readonly models: ByRole<LocatedModel>
  readonly media?: ByRole<LocatedMedia>
}

/** What steers a run as its settings have it. */
type Steered = { readonly conditioning: Conditioning }

/**
 * How a run opens its checkpoint with all that steers a clip of so many frames; a still is one. `open` is given the
 * files of IP-Adapters.
 */
export const openSteered =
  <Parts extends DiffusionParts>(
    { sessions }: RunTools,
    request: Steering,
    numFrames: number,
    context: RunContext,
    open: (
      path: string,
      options: DiffusionOptions & { readonly ipAdapters: readonly string[] },
    ) => Promise<Opened<Parts>>,
  ) =>
  async (path: string, options: DiffusionOptions): Promise<Opened<Parts & ConditioningParts & Steered>> => {
    const opening = {
      sessions,
      compute: { ...sessions.compute, ...options.compute },
      onQuantizing: options.onQuantizing,
    }
    const { conditioning, parts } = await openConditioning(request, numFrames, opening, context.signal)
    const ipAdapters = (request.models.ipAdapters ?? []).map(({ folder }) => folder)
    const opened = await open(path, { ...options, ipAdapters })
    return { ...opened, parts: { ...opened.parts, ...parts, conditioning } }
  }

type OpenStill<Parts> = (
  sessions: SessionCache,
  path: string,
  options: DiffusionOptions & { readonly ipAdapters: readonly string[] },
) => Promise<Opened<Parts>>

/** The same of a still. */
export const openSteeredStill = <Parts extends DiffusionParts>(
  open: OpenStill<Parts>,
  tools: RunTools,
  request: Steering,
  context: RunContext,
) => openSteered<Parts>(tools, request, 1, context, (path, options) => open(tools.sessions, path, options))

/**
 * Opens what steers a clip of so many frames, and reads its pictures and clips. Throws bad-model naming the file or
 * key, bad-media naming the clip that is too short.
 */
async function openConditioning(
  { settings, models, media = {} }: Steering,
  numFrames: number,
  opening: Opening,
  signal: AbortSignal,
): Promise<Steered & { readonly parts: ConditioningParts }> {
  const size = { width: settings.width, height: settings.height }
  const nets = await inOrder(models.controlNets ?? [], ({ folder }) => openControlNet(folder, opening))
  const controls = await inOrder(settings.controlNets, async ({ detect, ...choice }, i): Promise<ControlRequest> => {
    const frames = await readFrames(media.controlFrames![i]!, numFrames, signal)
    const fitted = frames.map((frame) => fitPicture(frame, size.width, size.height, 'crop'))
    return { ...choice, frames: unitTensor(detect === 'canny' ? fitted.map((frame) => canny(frame)) : fitted) }
  })
  const [sparse] = models.sparseControl ?? []
  const pictures = await inOrder(media.sparsePictures ?? [], async (one) =>
    fitPicture(await readStill(one, signal), size.width, size.height, 'crop'),
  )
  const ipAdapters = await inOrder(models.ipAdapters ?? [], ({ folder }) => openIpAdapter(folder))
  const prompts = await inOrder(ipAdapters, async ({ file, takes }, i) => {
    const folder = models.imageEncoder?.[0]?.folder ?? imageEncoderBeside(file)
    const { encode, imageSize } = await openImageEncoder(folder, takes, opening)
    const picture = await readStill(media.ipPictures![i]!, signal)
    return { encode, pixels: clipPixels(picture, imageSize), scale: settings.ipAdapters[i]!.scale }
  })
  return {
    parts: {
      controlNets: nets,
      imageEncoders: prompts.map(({ encode }): ImageEncoder => encode),
      ...(sparse && { sparseControlNet: await openSparseControlNet(sparse.folder, opening) }),
    },
    conditioning: {
      controls,
      guessMode: settings.guessMode,
      imagePrompts: prompts.map(({ pixels, scale }) => ({ pixels, scale })),
      ...(settings.sparseControl && {
        sparse: {
          pictures: unitTensor(pictures),
          indices: settings.sparseControl.frames,
          scale: settings.sparseControl.scale,
        },
      }),
    },
  }
}

/** The first frames of a clip, or a picture as often as it is needed. */
async function readFrames(source: LocatedMedia, count: number, signal: AbortSignal): Promise<RgbFrame[]> {
  const clip = await openSource(source, signal)
  if (clip.frameCount > 1 && clip.frameCount < count)
    throw new ProblemError(
      'bad-media',
      `${source.name} has ${clip.frameCount} frames, and the clip that it steers ${count}: make fewer, or choose a longer one.`,
      { file: source.name, field: 'controlFrames' },
    )
  const wanted = Array.from({ length: clip.frameCount === 1 ? 1 : count }, (_, i) => i)
  const frames: RgbFrame[] = []
  for await (const frame of clip.frames(wanted)) frames.push(frame)
  return clip.frameCount === 1 ? new Array<RgbFrame>(count).fill(frames[0]!) : frames
}

/** Pictures of one size as (N, 3, H, W) in 0..1. */
function unitTensor(pictures: readonly RgbFrame[]): Tensor<'float32'> {
  const { width, height } = pictures[0]!
  const plane = width * height
  const values = new Float32Array(pictures.length * 3 * plane)
  for (const [n, { data }] of pictures.entries())
    for (let c = 0; c < 3; c++) for (let i = 0; i < plane; i++) values[(n * 3 + c) * plane + i] = data[i * 3 + c]! / 255
  return float32([pictures.length, 3, height, width], values)
}

/** A picture as CLIP sees it, (1, 3, S, S): transformers' CLIPImageProcessor with its defaults at another size. */
function clipPixels(picture: RgbFrame, side: number): Tensor<'float32'> {
  const config = preprocessConfigSchema.parse({
    size: { shortest_edge: side },
    crop_size: { height: side, width: side },
    resample: 3,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
  })
  const { data } = pixelValues([preparePicture(picture, config)], config)
  return float32([1, 3, side, side], data)
}
