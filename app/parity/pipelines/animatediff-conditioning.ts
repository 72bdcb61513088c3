import { z } from 'zod'
import { openIpAdapter } from '#app/checkpoints/layouts/ip-adapter.ts'
import type { Conditioning, ConditioningParts, ControlRequest } from '#app/pipelines/conditioning.ts'
import { openControlNet, openImageEncoder, openSparseControlNet } from '#app/pipelines/node/conditioning.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { locate, type Tensors } from '../case.ts'
import type { Setup } from './animatediff-setup.ts'
import type { RunPipelineCase } from './pipeline-case.ts'

const oneOrEach = z.union([z.number().transform((value) => [value]), z.array(z.number())])

/** What calls of AnimateDiffControlNetPipeline and its like have beside all else. */
export const controlArgs = {
  controlnet_conditioning_scale: oneOrEach.default([1]),
  control_guidance_start: oneOrEach.default([0]),
  control_guidance_end: oneOrEach.default([1]),
  guess_mode: z.boolean().default(false),
}
type ControlArgs = z.infer<z.ZodObject<typeof controlArgs>>

export const sparseArgs = {
  controlnet_frame_indices: z.array(z.int()),
  controlnet_conditioning_scale: z.number().default(1),
  guess_mode: z.boolean().default(false),
}
type SparseArgs = z.infer<z.ZodObject<typeof sparseArgs>>

type Case = Pick<Parameters<RunPipelineCase>[0], 'folder' | 'spec' | 'inputs' | 'sessions'>
export type Opened = { readonly parts: ConditioningParts; readonly conditioning: Conditioning }

const foldersOf = ({ folder, spec }: Case): string[] =>
  z
    .object({ controlnet: z.array(z.string()) })
    .parse(spec.components)
    .controlnet.map((path) => locate(folder, path))

const openingOf = (sessions: SessionCache) => ({ sessions, compute: sessions.compute })

/** ControlNets with their frames: one tensor, or one for each net. */
export async function openControls(of: Case, args: ControlArgs): Promise<Opened> {
  const folders = foldersOf(of)
  const frames = folders.map(
    (_, i) => of.inputs[folders.length === 1 ? 'conditioning_frames' : `conditioning_frames.${i}`]!,
  )
  const each = (values: readonly number[], i: number): number => values[values.length === 1 ? 0 : i]!
  const controls = folders.map((_, i): ControlRequest => ({
    frames: toFloat32(frames[i]!),
    scale: each(args.controlnet_conditioning_scale, i),
    start: each(args.control_guidance_start, i),
    end: each(args.control_guidance_end, i),
  }))
  const controlNets = await Promise.all(folders.map((folder) => openControlNet(folder, openingOf(of.sessions))))
  return { parts: { controlNets }, conditioning: { controls, guessMode: args.guess_mode } }
}

/** SparseCtrl with its pictures. */
export async function openSparse(of: Case, args: SparseArgs): Promise<Opened> {
  const [folder, ...more] = foldersOf(of)
  if (folder === undefined || more.length > 0) throw new Error('one SparseCtrl is needed')
  const sparse = {
    pictures: toFloat32(of.inputs.conditioning_frames!),
    indices: args.controlnet_frame_indices,
    scale: args.controlnet_conditioning_scale,
  }
  return {
    parts: { sparseControlNet: await openSparseControlNet(folder, openingOf(of.sessions)) },
    conditioning: { sparse, guessMode: args.guess_mode },
  }
}

/** IP-Adapters that the setup has loaded, with pixel values or embeddings of the call, beside what controls it. */
export async function withImagePrompts(
  { inputs, sessions }: Pick<Case, 'inputs' | 'sessions'>,
  { ipAdapters, ipAdapterScale }: Required<Pick<Setup, 'ipAdapters' | 'ipAdapterScale'>>,
  { parts, conditioning }: Opened = { parts: {}, conditioning: {} },
): Promise<Opened> {
  const pictures = ipAdapters.map((_, i) => pictureOf(inputs, i, ipAdapters.length))
  const imageEncoders = await Promise.all(
    ipAdapters.map(async ({ file, imageEncoder }) => {
      const { takes } = await openIpAdapter(file)
      return (await openImageEncoder(imageEncoder, takes, openingOf(sessions))).encode
    }),
  )
  const imagePrompts = pictures.map((picture) => ({ scale: ipAdapterScale, ...picture }))
  return { parts: { ...parts, imageEncoders }, conditioning: { ...conditioning, imagePrompts } }
}

function pictureOf(
  inputs: Tensors,
  index: number,
  count: number,
): { pixels: Tensor<'float32'> } | { embeds: Tensor<'float32'> } {
  const embeds = inputs[`ip_adapter_image_embeds.${index}`]
  if (embeds) return { embeds: toFloat32(embeds) }
  const pixels = inputs[count === 1 ? 'ip_adapter_image' : `ip_adapter_image.${index}`]
  if (!pixels) throw new Error(`the case has no picture for IP-Adapter ${index + 1}`)
  return { pixels: toFloat32(pixels) }
}
