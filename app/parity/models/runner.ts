import { z } from 'zod'
import type { PartName } from '#app/checkpoints/layouts/single-file.ts'
import { openModel } from '#app/checkpoints/open-model.ts'
import { LoadedModel, type Call } from '#app/loaded/loaded-model.ts'
import { decodeTiled } from '#app/loaded/tiled-decode.ts'
import { openUNetMotion } from '#app/loaded/unet-motion.ts'
import type { autoencoderKl } from '#app/models/autoencoder-kl.ts'
import { classificationLoss } from '#app/models/classification-loss.ts'
import { clipTextModel } from '#app/models/clip-text.ts'
import { parseConfig, type Args, type Model } from '#app/models/model.ts'
import { timesformerForVideoClassification } from '#app/models/timesformer.ts'
import { unetMotionModel } from '#app/models/unet-motion.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { locate, type ModelCase, type Tensors } from '../case.ts'
import { apply } from './calls.ts'

export type Place = { readonly start: string; readonly sessions: SessionCache }

/**
 * Opens a case's model, makes the calls of its setup, and runs the method that one of them names; without such a call
 * its forward. Gives what the reference's script gave for such a model.
 */
export async function runModel(place: Place, spec: ModelCase, architecture: Model, inputs: Tensors): Promise<Tensors> {
  const model = await open(place, spec, architecture)
  const named = spec.setup.find(({ call }) => Object.hasOwn(architecture.methods, call))
  for (const step of spec.setup) if (step !== named) await apply(place.start, model, step)
  const call = {
    method: named?.call ?? 'forward',
    inputs: withNumbers(spec, inputs),
    args: architecture.className === 'UNetMotionModel' ? {} : argsOf({ ...spec.args, ...named?.args }),
  }
  const special = Object.hasOwn(specials, architecture.className) ? specials[architecture.className] : run
  return special!(model, call, spec)
}

async function open({ start, sessions }: Place, spec: ModelCase, architecture: Model): Promise<LoadedModel> {
  const argsOfCall = (name: string) => spec.setup.find(({ call }) => call === name)?.args
  const checkpoint = locate(start, spec.checkpoint)
  if (architecture.className === unetMotionModel.className) {
    const adapter = argsOfCall('load_motion_modules')?.adapter as string | undefined
    return openUNetMotion(sessions, checkpoint, adapter === undefined ? undefined : locate(start, adapter))
  }
  const { config, weights } = await openModel(checkpoint, argsOfCall('part')?.name as PartName | undefined)
  return new LoadedModel(architecture, config, weights, sessions)
}

type Runner = (model: LoadedModel, call: Call, spec: ModelCase) => Promise<Tensors>

const run: Runner = async (model, { method, inputs, args }) => model.run(method, inputs, args)

const specials: Readonly<Record<string, Runner>> = {
  async AutoencoderKL(model, call, spec) {
    const tiling = spec.setup.find(({ call }) => call === 'enable_tiling')
    if (!tiling) return run(model, call, spec)
    z.strictObject({}).parse(tiling.args)
    if (call.method !== 'decode') throw new Error('tiles are compared in decoding only')
    return { sample: await decodeTiled(model as LoadedModel<typeof autoencoderKl>, toFloat32(call.inputs.z!)) }
  },
  async CLIPTextModel(model, call, spec) {
    const outputs = await run(model, call, spec)
    if (parseConfig(clipTextModel, model.config).num_hidden_layers === 1) return outputs
    const skipped = await run(model, { ...call, args: { ...call.args, clip_skip: 1 } }, spec)
    return { ...outputs, clip_skip_1: skipped.last_hidden_state! }
  },
  async TimesformerForVideoClassification(model, call, spec) {
    const { labels, ...inputs } = call.inputs
    const outputs = await run(model, { ...call, inputs }, spec)
    if (!labels) return outputs
    const config = parseConfig(timesformerForVideoClassification, model.config)
    return { ...outputs, loss: float32([1], [classificationLoss(config, toFloat32(outputs.logits!), labels)]) }
  },
}

/** What is an argument of the case, or a tensor; models take it as floats. */
const numbers = ['timestep', 'conditioning_scale']

function withNumbers(spec: ModelCase, inputs: Tensors): Tensors {
  const all = { ...inputs }
  for (const name of numbers) {
    if (inputs[name]) all[name] = toFloat32(inputs[name])
    else if (spec.args[name] !== undefined) {
      const values = [spec.args[name]].flat().map(Number)
      all[name] = float32([values.length], values)
    }
  }
  return all
}

/** Arguments that are no tensors: the method's own schema says what they must be. */
const argsOf = (args: ModelCase['args']): Args =>
  Object.fromEntries(Object.entries(args).filter(([name]) => !numbers.includes(name))) as Args
