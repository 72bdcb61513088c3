import { z } from 'zod'
import type { DiffusionOptions, OpenDiffusion } from '#app/pipelines/node/stable-diffusion.ts'
import type { TextToVideoRequest } from '#app/pipelines/text-to-video.ts'
import { locate } from '../case.ts'

/** What a call on the reference's pipeline means here. */
export type Setup = {
  /** How the models are opened. */
  readonly options?: Partial<DiffusionOptions>
  /** What the run is asked for. */
  readonly request?: Partial<TextToVideoRequest>
  /** What is done with the opened models. */
  readonly opened?: (models: OpenDiffusion) => Promise<unknown>
}

/** `file` finds a path that the case names. */
type SetupCall = (args: unknown, file: (path: string) => string) => Setup

const setupCalls: Readonly<Record<string, SetupCall>> = {
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
    options: calls.reduce((all, { options }) => ({ ...all, ...options }), {}),
    request: calls.reduce((all, { request }) => ({ ...all, ...request }), {}),
    async opened(models) {
      for (const { opened } of calls) await opened?.(models)
    },
  }
}
