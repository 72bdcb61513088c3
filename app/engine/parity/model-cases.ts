import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { freeUSchema } from '#app/contract/settings.ts'
import { autoencoderKl } from '#app/models/autoencoder-kl.ts'
import { classificationLoss } from '#app/models/classification-loss.ts'
import { clipTextModel } from '#app/models/clip-text.ts'
import type { Model } from '#app/models/model.ts'
import { timesformerForVideoClassification, timesformerModel } from '#app/models/timesformer.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { LoadedModel } from '../loaded-model.ts'
import type { SessionCache } from '../session-cache.ts'
import { joinUNetMotion, type UNetMotion } from '../open/unet-motion.ts'
import {
  compare,
  locate,
  modelCaseSchema,
  mustFail,
  readJson,
  readTensors,
  tolerance,
  type ModelCase,
  type Tensors,
  type Verdict,
} from './case.ts'

type Setup = ModelCase['setup']
type Place = { readonly start: string; readonly sessions: SessionCache }
type Runner = (place: Place, spec: ModelCase, inputs: Tensors) => Promise<Tensors>

const integer = (value: unknown): number => Number(value)

async function runUNetMotion({ start, sessions }: Place, spec: ModelCase, inputs: Tensors): Promise<Tensors> {
  const adapter = spec.setup.find(({ call }) => call === 'load_motion_modules')
  const unet = joinUNetMotion(
    sessions,
    await openCheckpoint(locate(start, spec.checkpoint)),
    adapter && (await openCheckpoint(locate(start, String(adapter.args.adapter)))),
  )
  for (const step of spec.setup) applyToUNet(unet, step)
  const timestep = inputs.timestep ? toFloat32(inputs.timestep) : float32([1], [integer(spec.args.timestep)])
  return unet.forward({ ...inputs, timestep })
}

function applyToUNet(unet: UNetMotion, { call, args }: Setup[number]): void {
  switch (call) {
    case 'load_motion_modules':
      return
    case 'enable_freeu':
      return unet.enableFreeu(freeUSchema.parse(args))
    case 'disable_freeu':
      return unet.disableFreeu()
    default:
      return applyToAny(unet, { call, args })
  }
}

function applyToAny<C>(model: LoadedModel<C>, { call, args }: Setup[number]): void {
  switch (call) {
    case 'enable_forward_chunking':
      return model.enableForwardChunking(
        args.chunk_size == null ? null : integer(args.chunk_size),
        integer(args.dim ?? 0),
      )
    case 'disable_forward_chunking':
      return model.disableForwardChunking()
    default:
      throw new Error(`the parity runner does not know the call ${call}`)
  }
}

async function openPlain<Config>(
  { start, sessions }: Place,
  spec: ModelCase,
  model: Model<Config>,
): Promise<LoadedModel<Config>> {
  const { config, weights } = await openCheckpoint(locate(start, spec.checkpoint))
  return new LoadedModel(model, config, weights, sessions)
}

async function runClipText(place: Place, spec: ModelCase, inputs: Tensors): Promise<Tensors> {
  const model = await openPlain(place, spec, clipTextModel)
  const skipped = await model.forward(inputs, { clip_skip: 1 })
  return { ...(await model.forward(inputs)), clip_skip_1: skipped.last_hidden_state! }
}

async function runAutoencoder(place: Place, spec: ModelCase, inputs: Tensors): Promise<Tensors> {
  const model = await openPlain(place, spec, autoencoderKl)
  return model.forward(inputs, { part: spec.setup[0]?.call ?? 'decode' })
}

const flags = (spec: ModelCase): Record<string, boolean> =>
  Object.fromEntries(
    ['output_attentions', 'output_hidden_states']
      .filter((name) => spec.args[name] === true)
      .map((name) => [name, true]),
  )

async function runTimesformer(place: Place, spec: ModelCase, inputs: Tensors): Promise<Tensors> {
  return (await openPlain(place, spec, timesformerModel)).forward(inputs, flags(spec))
}

async function runTimesformerClassifier(
  place: Place,
  spec: ModelCase,
  { labels, ...inputs }: Tensors,
): Promise<Tensors> {
  const model = await openPlain(place, spec, timesformerForVideoClassification)
  const outputs = await model.forward(inputs, flags(spec))
  if (!labels) return outputs
  return { ...outputs, loss: float32([1], [classificationLoss(model.config, toFloat32(outputs.logits!), labels)]) }
}

const runners: Readonly<Record<string, Runner>> = {
  UNetMotionModel: runUNetMotion,
  CLIPTextModel: runClipText,
  AutoencoderKL: runAutoencoder,
  TimesformerModel: runTimesformer,
  TimesformerForVideoClassification: runTimesformerClassifier,
}

/** cases/MODEL/NAME: one forward of one model against the reference's outputs, or its refusal. */
export async function runModelCase(folder: string, sessions: SessionCache): Promise<Verdict> {
  const spec = modelCaseSchema.parse(await readJson(join(folder, 'case.json')))
  const runner = Object.hasOwn(runners, spec.model) ? runners[spec.model] : undefined
  if (!runner) return { state: 'FAIL', figure: `${spec.model} is not known` }
  const inputs = existsSync(join(folder, 'inputs.safetensors'))
    ? await readTensors(join(folder, 'inputs.safetensors'))
    : {}
  const run = (): Promise<Tensors> => runner({ start: folder, sessions }, spec, inputs)
  if (spec.error) return mustFail(run, spec.error.must_say)
  return compare(await run(), await readTensors(join(folder, 'outputs.safetensors')), tolerance, spec.scale)
}
