import type { PartName } from '#app/checkpoints/layouts/single-file.ts'
import { attnProcessorMapSchema, attnProcessorSchema, type AttnProcessorMap } from '#app/contract/attn-processors.ts'
import { freeUSchema } from '#app/contract/settings.ts'
import type { AttnProcessor } from '#app/graph/index.ts'
import type { Model } from '#app/models/model.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { FreeUModel } from '../../freeu-model.ts'
import { LoadedModel } from '../../loaded-model.ts'
import { openModel } from '../../open/checkpoint.ts'
import type { SessionCache } from '../../session-cache.ts'
import { locate, type ModelCase, type Tensors } from '../case.ts'

export type Place = { readonly start: string; readonly sessions: SessionCache }
export type Runner = (place: Place, spec: ModelCase, inputs: Tensors) => Promise<Tensors>
export type Setup = ModelCase['setup'][number]

export const integer = (value: unknown): number => Number(value)

export async function openPlain<Config>(
  { start, sessions }: Place,
  spec: ModelCase,
  model: Model<Config>,
  kind: typeof LoadedModel<Config> = LoadedModel,
): Promise<LoadedModel<Config>> {
  const part = spec.setup.find(({ call }) => call === 'part')?.args.name as PartName | undefined
  const { config, weights } = await openModel(locate(start, spec.checkpoint), part)
  return new kind(model, config, weights, sessions)
}

/** Opens a model, makes the calls of the case's setup and runs it once. */
export const plainRunner =
  <Config>(model: Model<Config>, kind: typeof LoadedModel<Config> = LoadedModel): Runner =>
  async (place, spec, inputs) => {
    const opened = await openPlain(place, spec, model, kind)
    for (const step of spec.setup) await apply(place, opened, step)
    return opened.forward(withTimestep(spec, inputs), argsOf(spec))
  }

/** The timestep is an argument of the case, or a tensor; models take it as floats. */
export function withTimestep(spec: ModelCase, inputs: Tensors): Tensors {
  const { timestep } = inputs
  if (timestep) return { ...inputs, timestep: toFloat32(timestep) }
  return spec.args.timestep === undefined ? inputs : { ...inputs, timestep: scalar(spec.args.timestep) }
}

const scalar = (value: unknown): Tensor => float32([1], [Number(value)])

/** Arguments of the forward that are no tensors. */
export function argsOf(spec: ModelCase): Record<string, number | boolean | string> {
  const args: Record<string, number | boolean | string> = {}
  for (const [name, value] of Object.entries(spec.args))
    if (name !== 'timestep' && (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string'))
      args[name] = value
    else if (Array.isArray(value)) args[name] = value.join()
  return args
}

/** One call of a case's setup, by diffusers' name. */
export async function apply<C>(place: Place, model: LoadedModel<C>, { call, args }: Setup): Promise<void> {
  switch (call) {
    case 'enable_forward_chunking':
      return model.enableForwardChunking(
        args.chunk_size == null ? null : integer(args.chunk_size),
        integer(args.dim ?? 0),
      )
    case 'disable_forward_chunking':
      return model.disableForwardChunking()
    case 'set_attn_processor':
      return model.setAttnProcessor(processorOf(place, model, args))
    case 'set_default_attn_processor':
      return model.setDefaultAttnProcessor()
    case 'fuse_qkv_projections':
      return model.fuseQkvProjections()
    case 'unfuse_qkv_projections':
      return model.unfuseQkvProjections()
    case 'part':
      return // of a single file, chosen when it was opened
    case 'load_lora':
      await model.loadLora(locate(place.start, String(args.file)), {
        ...(args.name !== undefined && { name: String(args.name) }),
        scale: Number(args.scale ?? 1),
      })
      return
    case 'set_lora_scale':
      return model.setLoraScale(String(args.name), Number(args.scale))
    case 'unload_lora':
      return model.unloadLora(args.name === undefined ? undefined : String(args.name))
    case 'enable_freeu':
      if (model instanceof FreeUModel) return model.enableFreeu(freeUSchema.parse(args))
      break
    case 'disable_freeu':
      if (model instanceof FreeUModel) return model.disableFreeu()
      break
  }
  throw new Error(`the parity runner does not know the call ${call} of ${spec(model)}`)
}

const spec = <C>(model: LoadedModel<C>): string => model.constructor.name

function processorOf<C>(
  { start }: Place,
  model: LoadedModel<C>,
  args: Setup['args'],
): AttnProcessor | AttnProcessorMap {
  const located = (processor: AttnProcessor): AttnProcessor =>
    'weights' in processor && processor.weights !== undefined
      ? { ...processor, weights: locate(start, processor.weights) }
      : processor
  if (args.processors === undefined) return located(attnProcessorSchema.parse(args))
  const map = attnProcessorMapSchema.parse(args.processors)
  // diffusers empties the map that it is handed, so a case written after its call holds an empty one: it named every layer.
  if (Object.keys(map).length === 0) return oneOfEach(model)
  return Object.fromEntries(Object.entries(map).map(([path, processor]) => [path, located(processor)]))
}

function oneOfEach<C>(model: LoadedModel<C>): AttnProcessorMap {
  const addedKv = Object.values(model.attnProcessors).some(({ processor }) => processor.includes('AddedKV'))
  const choices = (
    addedKv
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
  ) satisfies AttnProcessor[]
  return Object.fromEntries(
    Object.keys(model.attnProcessors).map((path, i) => [path, choices[i % choices.length]!] as const),
  )
}
