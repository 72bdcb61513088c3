import type { PartName } from '#app/checkpoints/layouts/single-file.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { openModel } from '#app/checkpoints/open-model.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import type { Model } from '#app/models/model.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { locate, type ModelCase, type Tensors } from '../case.ts'
import { apply } from './calls.ts'

export type Place = { readonly start: string; readonly sessions: SessionCache }
export type Runner = (place: Place, spec: ModelCase, inputs: Tensors) => Promise<Tensors>

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
    for (const step of spec.setup) await apply(place.start, opened, step)
    return opened.forward(withTimestep(spec, inputs), argsOf(spec))
  }

/** The timestep is an argument of the case, or a tensor; models take it as floats. */
export function withTimestep(spec: ModelCase, inputs: Tensors): Tensors {
  if (inputs.timestep) return { ...inputs, timestep: toFloat32(inputs.timestep) }
  if (spec.args.timestep === undefined) return inputs
  const steps = [spec.args.timestep].flat().map(Number)
  return { ...inputs, timestep: float32([steps.length], steps) }
}

/** Arguments of the forward that are no tensors; lists as "1,2,3". */
export function argsOf(spec: ModelCase): Record<string, number | boolean | string> {
  const args: Record<string, number | boolean | string> = {}
  for (const [name, value] of Object.entries(spec.args)) {
    if (name === 'timestep') continue
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') args[name] = value
    else if (Array.isArray(value)) args[name] = value.join()
  }
  return args
}
