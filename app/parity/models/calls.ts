import { z } from 'zod'
import { isAddedKv, type AttnProcessor } from '#app/contract/attn-processor-table.ts'
import { attnProcessorMapSchema, attnProcessorSchema, type AttnProcessorMap } from '#app/contract/attn-processors.ts'
import { freeUSchema } from '#app/contract/settings.ts'
import type { LoadedModel } from '#app/loaded/loaded-model.ts'
import { locate, type ModelCase } from '../case.ts'

type Step = ModelCase['setup'][number]
type Call = (model: LoadedModel, args: Step['args'], start: string) => void | Promise<void>

const chunkingArgs = z.object({ chunk_size: z.number().nullish(), dim: z.number().default(0) })
const loraArgs = z.object({ file: z.string(), name: z.string().optional(), scale: z.number().default(1) })
const namedLoraArgs = z.object({ name: z.string().optional() })
const loraScaleArgs = z.object({ name: z.string(), scale: z.number() })

const calls: Readonly<Record<string, Call>> = {
  enable_forward_chunking(model, args) {
    const { chunk_size: size, dim } = chunkingArgs.parse(args)
    model.enableForwardChunking(size ?? null, dim)
  },
  disable_forward_chunking(model) {
    model.disableForwardChunking()
  },
  set_attn_processor: (model, args, start) => model.setAttnProcessor(processorOf(model, args, start)),
  set_default_attn_processor(model) {
    model.setDefaultAttnProcessor()
  },
  fuse_qkv_projections(model) {
    model.fuseQkvProjections()
  },
  unfuse_qkv_projections(model) {
    model.unfuseQkvProjections()
  },
  async load_lora(model, args, start) {
    const { file, ...options } = loraArgs.parse(args)
    await model.loadLora(
      locate(start, file),
      options.name === undefined ? { scale: options.scale } : { ...options, name: options.name },
    )
  },
  set_lora_scale(model, args) {
    const { name, scale } = loraScaleArgs.parse(args)
    model.setLoraScale(name, scale)
  },
  unload_lora(model, args) {
    model.unloadLora(namedLoraArgs.parse(args).name)
  },
  enable_freeu(model, args) {
    model.enableFreeu(freeUSchema.parse(args))
  },
  disable_freeu(model) {
    model.disableFreeu()
  },
  enable_tiling: atOpening,
  part: atOpening,
  load_motion_modules: atOpening,
}

function atOpening(): void {
  // Chosen when the checkpoint was opened, or by the runner of its class.
}

/** One call of a case's setup, by diffusers' name. `start`: where the case's own paths are looked for. */
export async function apply(start: string, model: LoadedModel, { call, args }: Step): Promise<void> {
  const found = Object.hasOwn(calls, call) ? calls[call] : undefined
  if (!found) throw new Error(`the parity runner does not know the call ${call}`)
  await found(model, args, start)
}

function processorOf(model: LoadedModel, args: Step['args'], start: string): AttnProcessor | AttnProcessorMap {
  const located = (processor: AttnProcessor): AttnProcessor =>
    'weights' in processor && processor.weights !== undefined
      ? { ...processor, weights: locate(start, processor.weights) }
      : processor
  if (args.processors === undefined) return located(attnProcessorSchema.parse(args))
  const map = attnProcessorMapSchema.parse(args.processors)
  // diffusers empties the map that it is handed, so a case written after its call holds an empty one: it named every
  // layer.
  if (Object.keys(map).length === 0) return oneOfEach(model)
  return Object.fromEntries(Object.entries(map).map(([path, processor]) => [path, located(processor)]))
}

function oneOfEach(model: LoadedModel): AttnProcessorMap {
  const addedKv = Object.values(model.attnProcessors).some(isAddedKv)
  const choices: readonly AttnProcessor[] = addedKv
    ? [
        { processor: 'AttnAddedKVProcessor' },
        { processor: 'SlicedAttnAddedKVProcessor', slice_size: 3 },
        { processor: 'AttnAddedKVProcessor2_0' },
      ]
    : [
        { processor: 'AttnProcessor' },
        { processor: 'SlicedAttnProcessor', slice_size: 3 },
        { processor: 'AttnProcessor2_0' },
      ]
  return Object.fromEntries(
    Object.keys(model.attnProcessors).map((path, i) => [path, choices[i % choices.length]!] as const),
  )
}
