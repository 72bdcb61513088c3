import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { autoencoderKl } from '#app/models/autoencoder-kl.ts'
import { clipTextModelWithProjection } from '#app/models/clip-text.ts'
import { clipVisionModelWithProjection } from '#app/models/clip-vision.ts'
import { pixartTransformer2d } from '#app/models/pixart-transformer-2d.ts'
import { t5EncoderModel } from '#app/models/t5-encoder.ts'
import { priorTransformer } from '#app/models/prior-transformer.ts'
import { timesformerModel } from '#app/models/timesformer.ts'
import type { UNet2DConfig } from '#app/models/unet-2d-config.ts'
import { unet2dConditionModel } from '#app/models/unet-2d-condition.ts'
import { transformerTemporalModel } from '#app/models/transformer-temporal.ts'
import { isFile } from '#app/checkpoints/open-model.ts'
import { PixArtTransformer } from '#app/loaded/pixart.ts'
import { FreeUModel } from '#app/loaded/freeu-model.ts'
import { vqModel } from '#app/models/vq-model.ts'
import { unet3dConditionModel, type UNet3DConfig } from '#app/models/unet-3d-condition.ts'
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
import { partRunner } from './models/parts.ts'
import { plainRunner, type Runner } from './models/runner.ts'
import { runClipText } from './models/text-encoders.ts'
import { runTimesformerClassifier } from './models/timesformer.ts'
import { runUNetMotion } from './models/unet-motion.ts'
import { limitOn } from './on-provider.ts'

const runners: Readonly<Record<string, Runner>> = {
  UNetMotionModel: runUNetMotion,
  TransformerTemporalModel: plainRunner(transformerTemporalModel),
  PriorTransformer: partRunner(priorTransformer, ['post_process_latents'], 'forward'),
  PixArtTransformer2DModel: plainRunner(pixartTransformer2d, PixArtTransformer),
  UNet2DConditionModel: plainRunner(unet2dConditionModel, FreeUModel<UNet2DConfig>),
  VQModel: partRunner(vqModel, ['encode', 'quantize', 'decode'], 'forward'),
  UNet3DConditionModel: plainRunner(unet3dConditionModel, FreeUModel<UNet3DConfig>),
  CLIPTextModel: runClipText,
  CLIPTextModelWithProjection: plainRunner(clipTextModelWithProjection),
  CLIPVisionModelWithProjection: plainRunner(clipVisionModelWithProjection),
  T5EncoderModel: plainRunner(t5EncoderModel),
  AutoencoderKL: partRunner(autoencoderKl, ['encode', 'decode'], 'decode'),
  TimesformerModel: plainRunner(timesformerModel),
  TimesformerForVideoClassification: runTimesformerClassifier,
}

const classSchema = z.object({ _class_name: z.string() })

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

/** cases/formats: the class that the checkpoint itself names. */
async function classOf(folder: string, spec: ModelCase): Promise<string> {
  if (spec.model !== 'formats') return spec.model
  if (isFile(locate(folder, spec.checkpoint))) return classOfPart(spec)
  const config = classSchema.parse(await readJson(join(locate(folder, spec.checkpoint), 'config.json')))
  const joined = spec.setup.some(({ call }) => call === 'load_motion_modules')
  return joined ? 'UNetMotionModel' : config._class_name
}

/** cases/MODEL/NAME: one forward of one model against the reference's outputs, or its refusal. */
export async function runModelCase(folder: string, sessions: SessionCache): Promise<Verdict> {
  const spec = modelCaseSchema.parse(await readJson(join(folder, 'case.json')))
  const name = await classOf(folder, spec)
  const runner = Object.hasOwn(runners, name) ? runners[name] : undefined
  if (!runner) return { state: 'FAIL', figure: `${name} is not known` }
  const inputs = existsSync(join(folder, 'inputs.safetensors'))
    ? await readTensors(join(folder, 'inputs.safetensors'))
    : {}
  const run = (): Promise<Tensors> => runner({ start: folder, sessions }, spec, inputs)
  if (spec.error) return mustFail(run, spec.error.must_say)
  const expected = await readTensors(join(folder, 'outputs.safetensors'))
  return compare(await run(), expected, limitOn(sessions.compute, tolerance), spec.scale)
}
