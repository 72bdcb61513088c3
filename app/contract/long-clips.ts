import { z } from 'zod'

export const weightingSchemes = ['pyramid', 'flat', 'delayed_reverse_sawtooth'] as const
export type WeightingScheme = (typeof weightingSchemes)[number]
export const noiseTypes = ['shuffle_context', 'repeat_context', 'random'] as const
export type NoiseType = (typeof noiseTypes)[number]
/** How windows of frames lie over a clip that the UNet sees one window at a time. */
export const windowKinds = ['uniform', 'overlapped', 'looped'] as const

const windowFields = {
  /** Frames of a window. */
  contextLength: z.int().min(1).max(128),
  /** Frames from the beginning of a window to that of the next. */
  contextStride: z.int().min(1).max(128),
  /** How much each frame of a window counts where windows overlap. */
  weightingScheme: z.enum(weightingSchemes),
}

/**
 * FreeNoise (arXiv 2310.15169), named as diffusers' `enable_free_noise` does: the motion modules alone look at windows
 * of frames, and the noise of a window comes again in the later ones.
 */
const freeNoiseSchema = z.object({
  kind: z.literal('freenoise'),
  ...windowFields,
  noiseType: z.enum(noiseTypes),
})
export type FreeNoise = z.infer<typeof freeNoiseSchema>

/**
 * Context windows: the whole UNet sees one window of frames after the other, so that a long clip needs the memory of
 * one window. Overlapped ones lie where they lie, uniform ones move from step to step, looped ones also go on from the
 * last frame to the first.
 */
const contextWindowsSchema = z.object({ kind: z.enum(windowKinds), ...windowFields })
export type ContextWindows = z.infer<typeof contextWindowsSchema>

export const longClipSchema = z.discriminatedUnion('kind', [freeNoiseSchema, contextWindowsSchema])
export type LongClip = z.infer<typeof longClipSchema>
export type LongClipKind = LongClip['kind']

/**
 * Layers that see part of a clip at a time, which needs less memory: motion modules so many pixels, all others so many
 * frames. Named as diffusers' `enable_free_noise_split_inference` does.
 */
export const splitInferenceSchema = z.object({
  spatialSplitSize: z.int().min(1).max(65_536),
  temporalSplitSize: z.int().min(1).max(1024),
})
export type SplitInference = z.infer<typeof splitInferenceSchema>
/** As there without arguments. */
export const defaultSplitInference: SplitInference = { spatialSplitSize: 256, temporalSplitSize: 16 }

/** As `enable_free_noise` has it without arguments; windows overlap by a quarter. */
export const defaultLongClips: { readonly [K in LongClipKind]: LongClip & { kind: K } } = {
  freenoise: {
    kind: 'freenoise',
    contextLength: 16,
    contextStride: 4,
    weightingScheme: 'pyramid',
    noiseType: 'shuffle_context',
  },
  uniform: { kind: 'uniform', contextLength: 16, contextStride: 12, weightingScheme: 'pyramid' },
  overlapped: { kind: 'overlapped', contextLength: 16, contextStride: 12, weightingScheme: 'pyramid' },
  looped: { kind: 'looped', contextLength: 16, contextStride: 12, weightingScheme: 'pyramid' },
}

/**
 * The weight of each frame of a window of `length` frames. The third scheme has none for an odd length.
 * Source: diffusers/src/diffusers/models/attention.py@58eb52c FreeNoiseTransformerBlock._get_frame_weights.
 */
export function frameWeights(length: number, scheme: WeightingScheme): number[] {
  const middle = length / 2
  return Array.from({ length }, (_, i) => {
    const fromEnd = Math.min(i + 1, length - i)
    if (scheme === 'flat') return 1
    if (scheme === 'pyramid') return fromEnd
    if (i < middle - 1) return 0.01
    return i < middle ? middle : length - i
  })
}

/** Why a clip of so many frames cannot be made in this way; undefined where it can. `most`: frames of a window. */
export function longClipProblem(longClip: LongClip, numFrames: number, most: number | undefined): string | undefined {
  const { kind, contextLength: length, contextStride: stride, weightingScheme } = longClip
  if (most !== undefined && length > most)
    return `Windows of ${length} frames are more than the motion modules can see: at most ${most}.`
  if (stride > length)
    return `Windows of ${length} frames that begin every ${stride} frames leave frames out: begin them every ${length} or fewer.`
  if (weightingScheme === 'delayed_reverse_sawtooth' && length % 2 === 1)
    return `The weighting delayed_reverse_sawtooth needs windows of an even number of frames, not ${length}.`
  if (kind === 'freenoise' && numFrames < length)
    return `FreeNoise makes clips of at least one window, ${length} frames: take shorter windows, or switch it off for ${numFrames} frames.`
  return undefined
}
