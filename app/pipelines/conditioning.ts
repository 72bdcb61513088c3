import { ProblemError } from '#app/contract/errors.ts'
import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import type { DenoiserInputs, DiffusionParts, DrawNoise } from './diffusion.ts'
import { pickFrames } from './context-windows.ts'
import { joinRows, repeatRows } from './guidance.ts'
import { drawnLatents, type Moments } from './moments.ts'

type Floats = Tensor<'float32'>

/** What is added to a UNet's states: one for each of the way down, and one for the middle, (B * F, C', h', w'). */
export type Residuals = { readonly down: readonly Floats[]; readonly mid: Floats }

type NetInputs = Pick<DenoiserInputs, 'sample' | 'timestep' | 'encoderHiddenStates' | 'added'> & {
  readonly cond: Floats
  readonly scale: number
  readonly guessMode: boolean
}

/**
 * Sample (B * F, C, h, w), frame by frame, and the pictures of all frames (F, 3, H, W) in 0..1 -> residuals. A still is
 * a clip of one frame.
 */
export type ControlNet = (inputs: NetInputs) => Promise<Residuals>

/** Sample (B, C, F, h, w), pictures (1, c, F, H, W), and a mask (1, 1, F, H, W), 1 in frames that have one. */
export type SparseControlNet = {
  /** Its pictures are latents (c 4, of the latents' size) instead of pixels in 0..1. */
  readonly takesLatents: boolean
  readonly run: (inputs: NetInputs & { readonly mask: Floats }) => Promise<Residuals>
}

/** A picture as CLIP's image encoder takes it, (1, 3, S, S) -> its embedding and that of no picture, (1, ...). */
export type ImageEncoder = (pixels: Floats) => Promise<{ readonly embeds: Floats; readonly negative: Floats }>

/** The models that steer a run beside the prompt, each as a function of tensors. */
export type ConditioningParts = {
  readonly controlNets?: readonly ControlNet[]
  readonly sparseControlNet?: SparseControlNet
  /** One for each IP-Adapter of the denoiser. */
  readonly imageEncoders?: readonly ImageEncoder[]
}

export type ControlRequest = {
  /** (F, 3, H, W) in 0..1 */
  readonly frames: Floats
  readonly scale: number
  /** Parts of the run, 0 to 1: a step counts where it is wholly between them. */
  readonly start: number
  readonly end: number
}

export type SparseRequest = {
  /** (n, 3, H, W) in 0..1, and the frame of each. */
  readonly pictures: Floats
  readonly indices: readonly number[]
  readonly scale: number
}

/** `embeds`: those of no picture first where there is guidance, (2, n, ...), else (1, n, ...). */
export type ImagePromptRequest = { readonly scale: number } & (
  { readonly pixels: Floats } | { readonly embeds: Floats }
)

/** What steers a run, each list in the order of its models. */
export type Conditioning = {
  readonly controls?: readonly ControlRequest[]
  readonly guessMode?: boolean
  readonly sparse?: SparseRequest | undefined
  readonly imagePrompts?: readonly ImagePromptRequest[]
}

type Denoise = DiffusionParts['denoise']

type SteeredRun = {
  readonly numFrames: number
  readonly guided: boolean
  readonly draw: DrawNoise
  /** Pictures or clips that are made at once. */
  readonly samples?: number
}

/**
 * The denoiser with all that steers it. `draw` makes the numbers that pictures for SparseCtrl are encoded with, before
 * any other draw of the run. Throws bad-input where the pictures are not as many as the frames.
 * Source: diffusers/src/diffusers/pipelines/animatediff/pipeline_animatediff.py, pipeline_animatediff_controlnet.py and
 * pipeline_animatediff_sparsectrl.py@58eb52c; of stills pipeline_controlnet.py and pipeline_controlnet_sd_xl.py@58eb52c
 * in diffusers/src/diffusers/pipelines/controlnet and those from a picture, where the net is told what XL is told.
 */
export async function steered(
  parts: DiffusionParts & ConditioningParts,
  conditioning: Conditioning | undefined,
  { numFrames, guided, draw, samples = 1 }: SteeredRun,
): Promise<Denoise> {
  if (!conditioning) return parts.denoise
  const guessMode = conditioning.guessMode ?? false
  const nets: Steering[] = []
  for (const [i, request] of (conditioning.controls ?? []).entries()) {
    checkFrames(request.frames, numFrames, i)
    nets.push({ ...request, residuals: (inputs) => framewise(parts.controlNets![i]!, inputs, request, guessMode) })
  }
  if (conditioning.sparse) {
    const { cond, mask } = await sparseCondition(parts, conditioning.sparse, numFrames, draw)
    const { scale } = conditioning.sparse
    const { run } = parts.sparseControlNet!
    const residuals: Steering['residuals'] = ({ frames, ...inputs }) =>
      run({ ...inputs, cond: inWindow(cond, frames), mask: inWindow(mask, frames), scale, guessMode })
    nets.push({ scale, start: 0, end: 1, residuals })
  }
  const prompts = await imagePrompts(parts, conditioning.imagePrompts ?? [], guided, samples)
  return async (inputs) => {
    const residuals = await residualsOf(nets, inputs, guessMode && guided)
    return parts.denoise({ ...inputs, ...(residuals && { residuals }), ...(prompts && { imagePrompts: prompts }) })
  }
}

type Steering = Pick<ControlRequest, 'scale' | 'start' | 'end'> & {
  readonly residuals: (inputs: DenoiserInputs) => Promise<Residuals>
}

/** Whether step `step` of `of` lies between two parts of the run. */
export const isKept = (step: number, of: number, { start, end }: Pick<ControlRequest, 'start' | 'end'>): boolean =>
  step / of >= start && (step + 1) / of <= end

/**
 * The sum over all nets; undefined where none has a say in this step. `half`: the rows without the prompt are left as
 * they are, as pipeline_controlnet.py@58eb52c has it in guess mode.
 */
async function residualsOf(
  nets: readonly Steering[],
  inputs: DenoiserInputs,
  half: boolean,
): Promise<Residuals | undefined> {
  const { step, totalSteps } = inputs
  let sum: Residuals | undefined
  for (const net of nets) {
    if (net.scale === 0 || !isKept(step, totalSteps, net)) continue
    const next = await net.residuals(half ? secondHalf(inputs) : inputs)
    sum = sum ? added(sum, next) : next
  }
  return sum && half ? { down: sum.down.map(afterZeros), mid: afterZeros(sum.mid) } : sum
}

function secondHalf(inputs: DenoiserInputs): DenoiserInputs {
  const half = (x: Floats): Floats => rows(x, x.shape[0]! / 2, x.shape[0]!)
  const { added } = inputs
  return {
    ...inputs,
    sample: half(inputs.sample),
    encoderHiddenStates: half(inputs.encoderHiddenStates),
    ...(added && { added: { textEmbeds: half(added.textEmbeds), timeIds: half(added.timeIds) } }),
  }
}

const afterZeros = (x: Floats): Floats => joinRows([float32(x.shape, new Float32Array(x.data.length)), x])

function added(into: Residuals, more: Residuals): Residuals {
  const addTo = (a: Floats, b: Floats): void => {
    for (let i = 0; i < a.data.length; i++) a.data[i]! += b.data[i]!
  }
  into.down.forEach((state, i) => {
    addTo(state, more.down[i]!)
  })
  addTo(into.mid, more.mid)
  return into
}

/** A net for stills sees each frame by itself: (B, C, F, h, w) as (B * F, C, h, w); stills are that already. */
function framewise(
  net: ControlNet,
  inputs: DenoiserInputs,
  { frames: all, scale }: ControlRequest,
  guessMode: boolean,
): Promise<Residuals> {
  const { timestep, encoderHiddenStates, sample, frames, added } = inputs
  const cond = frames ? joinRows(frames.map((frame) => rows(all, frame, frame + 1))) : all
  const told = { timestep, encoderHiddenStates, ...(added && { added }) }
  return net({ sample: sample.shape.length === 4 ? sample : asFrames(sample), ...told, cond, scale, guessMode })
}

function asFrames({ shape, data }: Floats): Floats {
  const [batch, channels, frames, height, width] = shape as [number, number, number, number, number]
  const plane = height * width
  const out = new Float32Array(data.length)
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let f = 0; f < frames; f++) {
        const from = ((b * channels + c) * frames + f) * plane
        out.set(data.subarray(from, from + plane), ((b * frames + f) * channels + c) * plane)
      }
  return float32([batch * frames, channels, height, width], out)
}

function checkFrames({ shape }: Floats, numFrames: number, index: number): void {
  if (shape[0] === numFrames) return
  throw new ProblemError(
    'bad-input',
    `ControlNet ${index + 1} has ${shape[0]} frames to go by, and the clip has ${numFrames}: as many are needed`,
    { field: 'controlNets' },
  )
}

/** Pictures in their frames of an otherwise black clip, and the mask that says which these are. */
async function sparseCondition(
  parts: DiffusionParts & ConditioningParts,
  { pictures, indices }: SparseRequest,
  numFrames: number,
  draw: DrawNoise,
): Promise<{ cond: Floats; mask: Floats }> {
  if (indices.some((index) => index < 0 || index >= numFrames))
    throw new ProblemError(
      'bad-input',
      `SparseCtrl has a picture for frame ${Math.max(...indices) + 1}, and the clip has ${numFrames}`,
      { field: 'sparseControl' },
    )
  const given = parts.sparseControlNet!.takesLatents ? await encoded(parts, pictures, draw) : pictures
  const [, channels, height, width] = given.shape as [number, number, number, number]
  const plane = height * width
  const cond = new Float32Array(channels * numFrames * plane)
  const mask = new Float32Array(numFrames * plane)
  for (const [i, index] of indices.entries()) {
    for (let c = 0; c < channels; c++) {
      const from = (i * channels + c) * plane
      cond.set(given.data.subarray(from, from + plane), (c * numFrames + index) * plane)
    }
    mask.fill(1, index * plane, (index + 1) * plane)
  }
  return {
    cond: float32([1, channels, numFrames, height, width], cond),
    mask: float32([1, 1, numFrames, height, width], mask),
  }
}

/** (n, 3, H, W) in 0..1 -> scaled latents (n, c, h, w), each drawn from what the autoencoder says of it. */
async function encoded(parts: DiffusionParts, pictures: Floats, draw: DrawNoise): Promise<Floats> {
  const moments: Moments[] = []
  for (let i = 0; i < pictures.shape[0]!; i++) {
    const { shape, data } = rows(pictures, i, i + 1)
    moments.push(await parts.encode(float32(shape, data.map((value) => 2 * value - 1)))) // prettier-ignore
  }
  return drawnLatents(moments, parts.scalingFactor, draw)
}

/** Those frames of (1, c, F, H, W), where not all are asked for. */
const inWindow = (clip: Floats, frames: readonly number[] | undefined): Floats =>
  frames ? pickFrames(clip, frames) : clip

async function imagePrompts(
  parts: ConditioningParts,
  requests: readonly ImagePromptRequest[],
  guided: boolean,
  samples: number,
): Promise<DenoiserInputs['imagePrompts']> {
  if (requests.length === 0) return undefined
  const embeds: Floats[] = []
  for (const [i, request] of requests.entries()) {
    if ('embeds' in request) embeds.push(request.embeds)
    else {
      const one = await parts.imageEncoders![i]!(request.pixels)
      const all = guided ? joinRows([one.negative, one.embeds]) : one.embeds
      embeds.push(repeatRows(float32([all.shape[0]!, 1, ...all.shape.slice(1)], all.data), samples))
    }
  }
  return { embeds, scales: requests.map(({ scale }) => scale) }
}
