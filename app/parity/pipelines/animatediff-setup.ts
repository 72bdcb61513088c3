import { z } from 'zod'
import { defaultFreeInit, freeInitSchema } from '#app/contract/free-init.ts'
import {
  defaultLongClips,
  defaultSplitInference,
  longClipSchema,
  splitInferenceSchema,
} from '#app/contract/long-clips.ts'
import type { OpenDiffusion } from '#app/pipelines/node/stable-diffusion.ts'
import type { MotionOptions } from '#app/pipelines/node/text-to-video.ts'
import type { TextToVideoRequest } from '#app/pipelines/text-to-video.ts'
import { locate } from '../case.ts'

/** What a call on the reference's pipeline means here. */
export type Setup = {
  /** How the models are opened. */
  readonly options?: Partial<MotionOptions>
  /** What the run is asked for. */
  readonly request?: Partial<TextToVideoRequest>
  /** IP-Adapters with the folder of their image encoder, and the scale of all of them. */
  readonly ipAdapters?: readonly { readonly file: string; readonly imageEncoder: string }[]
  readonly ipAdapterScale?: number
  /** What is done with the opened models. */
  readonly opened?: (models: OpenDiffusion) => Promise<unknown>
}

const inCamelCase = (given: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )

/** `file` finds a path that the case names. */
type SetupCall = (args: unknown, file: (path: string) => string) => Setup

const setupCalls: Readonly<Record<string, SetupCall>> = {
  enable_free_init(args) {
    const given = z
      .strictObject({
        num_iters: z.int().optional(),
        use_fast_sampling: z.boolean().optional(),
        method: z.string().optional(),
        order: z.int().optional(),
        spatial_stop_frequency: z.number().optional(),
        temporal_stop_frequency: z.number().optional(),
      })
      .parse(args)
    return { request: { freeInit: freeInitSchema.parse({ ...defaultFreeInit, ...inCamelCase(given) }) } }
  },
  enable_free_noise(args) {
    const given = z
      .strictObject({
        context_length: z.int().optional(),
        context_stride: z.int().optional(),
        weighting_scheme: z.string().optional(),
        noise_type: z.string().optional(),
      })
      .parse(args)
    const longClip = longClipSchema.parse({ ...defaultLongClips.freenoise, ...inCamelCase(given) })
    return { options: { longClip }, request: { longClip } }
  },
  enable_free_noise_split_inference(args) {
    const given = z
      .strictObject({ spatial_split_size: z.int().optional(), temporal_split_size: z.int().optional() })
      .parse(args)
    const splitInference = splitInferenceSchema.parse({ ...defaultSplitInference, ...inCamelCase(given) })
    return { options: { splitInference } }
  },
  load_textual_inversion(args, file) {
    const given = z.strictObject({ file: z.string(), token: z.string().optional() }).parse(args)
    return { options: { embeddings: [{ file: file(given.file), token: given.token }] } }
  },
  fuse_lora(args) {
    const { lora_scale: scale } = z.strictObject({ lora_scale: z.number() }).parse(args)
    return {
      opened: async ({ loras }) => {
        loras.scaleAll(scale)
      },
    }
  },
  load_ip_adapter(args, file) {
    const given = z.strictObject({ file: z.string(), image_encoder: z.string() }).parse(args)
    return { ipAdapters: [{ file: file(given.file), imageEncoder: file(given.image_encoder) }] }
  },
  set_ip_adapter_scale(args) {
    return { ipAdapterScale: z.strictObject({ scale: z.number() }).parse(args).scale }
  },
  load_lora_weights(args, file) {
    const given = z.strictObject({ file: z.string(), adapter_name: z.string() }).parse(args)
    return { opened: ({ loras }) => loras.load(file(given.file), { name: given.adapter_name }) }
  },
  set_adapters(args) {
    const given = z
      .strictObject({ adapter_names: z.array(z.string()), adapter_weights: z.array(z.number()) })
      .parse(args)
    return {
      opened: async ({ loras }) => {
        for (const [i, name] of given.adapter_names.entries()) loras.setScale(name, given.adapter_weights[i]!)
      },
    }
  },
}

const callsSchema = z.array(z.strictObject({ call: z.string(), args: z.unknown() }))

/** All calls of a case's `setup` as one. Throws for a call that is not known, and for arguments that are not. */
export function readSetup(setup: unknown, folder: string): Required<Setup> {
  const calls = callsSchema.parse(setup).map(({ call, args }) => {
    const read = Object.hasOwn(setupCalls, call) ? setupCalls[call] : undefined
    if (!read) throw new Error(`the setup call ${call} is not known`)
    return read(args, (path) => locate(folder, path))
  })
  return {
    options: calls.reduce<Partial<MotionOptions>>(
      (all, { options }) => ({
        ...all,
        ...options,
        embeddings: [...(all.embeddings ?? []), ...(options?.embeddings ?? [])],
      }),
      {},
    ),
    request: calls.reduce<Partial<TextToVideoRequest>>((all, { request }) => ({ ...all, ...request }), {}),
    ipAdapters: calls.flatMap(({ ipAdapters = [] }) => ipAdapters),
    ipAdapterScale: calls.reduce((last, { ipAdapterScale = last }) => ipAdapterScale, 1),
    async opened(models) {
      for (const { opened } of calls) await opened?.(models)
    },
  }
}
