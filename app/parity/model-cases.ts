import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { isFile } from '#app/checkpoints/open-model.ts'
import { classNameOf, classOf } from '#app/models/classes.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
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
import { runModel } from './models/runner.ts'
import { limitOn } from './on-provider.ts'

/** Of a single-file checkpoint the part that the case asks for, else its UNet. */
function classOfPart({ setup }: ModelCase): string {
  switch (setup.find(({ call }) => call === 'part')?.args.name) {
    case 'vae':
      return 'AutoencoderKL'
    case 'text_encoder':
      return 'CLIPTextModel'
    case 'text_encoder_2':
      return 'CLIPTextModelWithProjection'
    default:
      return setup.some(({ call }) => call === 'load_motion_modules') ? 'UNetMotionModel' : 'UNet2DConditionModel'
  }
}

const configSchema = z.record(z.string(), z.unknown())

/** cases/formats: the class that the checkpoint itself names. */
async function namedClass(folder: string, spec: ModelCase): Promise<string> {
  if (spec.model !== 'formats') return spec.model
  if (isFile(locate(folder, spec.checkpoint))) return classOfPart(spec)
  if (spec.setup.some(({ call }) => call === 'load_motion_modules')) return 'UNetMotionModel'
  const config = configSchema.parse(await readJson(join(locate(folder, spec.checkpoint), 'config.json')))
  return classNameOf(config) ?? 'a model without a class name'
}

/** cases/MODEL/NAME: one forward of one model against the reference's outputs, or its refusal. */
export async function runModelCase(folder: string, sessions: SessionCache): Promise<Verdict> {
  const spec = modelCaseSchema.parse(await readJson(join(folder, 'case.json')))
  const name = await namedClass(folder, spec)
  const architecture = classOf(name)
  if (!architecture) return { state: 'FAIL', figure: `${name} is not known` }
  const inputs = existsSync(join(folder, 'inputs.safetensors'))
    ? await readTensors(join(folder, 'inputs.safetensors'))
    : {}
  const run = (): Promise<Tensors> => runModel({ start: folder, sessions }, spec, architecture, inputs)
  if (spec.error) return mustFail(run, spec.error.must_say)
  const expected = await readTensors(join(folder, 'outputs.safetensors'))
  return compare(await run(), expected, limitOn(sessions.compute, tolerance), spec.scale)
}
