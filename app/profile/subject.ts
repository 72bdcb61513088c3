import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Checkpoint } from '#app/checkpoints/folder.ts'
import { readJson } from '#app/checkpoints/json.ts'
import { isFile, openAdapter, openModel } from '#app/checkpoints/open-model.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { ProfileShape } from '#app/contract/profile.ts'
import { LoadedModel, type Call } from '#app/loaded/loaded-model.ts'
import { openDenoiser } from '#app/loaded/denoiser.ts'
import { classes, classNameOf } from '#app/models/classes.ts'
import type { InputShape } from '#app/models/input-shapes.ts'
import { normalValues } from '#app/runtime/kernels/normal-values.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { float32, int64, sizeOf, type Tensor } from '#app/tensor/tensor.ts'

/** What is measured: a model and a forward of it. */
export type Subject = {
  readonly className: string
  readonly model: Pick<
    LoadedModel,
    | 'attnProcessors'
    | 'setAttnProcessor'
    | 'enableForwardChunking'
    | 'disableForwardChunking'
    | 'computeWith'
    | 'options'
    | 'lowered'
  >
  readonly call: Call
}

const classesWithForward = Object.keys(classes).filter((name) => classes[name]?.methods.forward)

/** Pixels of a latent's side where no autoencoder tells. */
const usualFactor = 8

/**
 * Opens what is to be measured: the denoiser of a pipeline folder or single-file checkpoint, or a model's own folder; a
 * two-dimensional UNet with a motion adapter, or as the one for stills that it is. Throws bad-model or bad-input naming
 * the file or key, and unsupported naming the architecture.
 */
export async function openSubject(
  sessions: SessionCache,
  path: string,
  adapterPath: string | null,
  shape: ProfileShape,
): Promise<Subject> {
  const part = ['unet', 'transformer', 'prior'].find((name) => existsSync(join(path, name, 'config.json')))
  const checkpoint = await openModel(isFile(path) || part === undefined ? path : join(path, part))
  const adapter = adapterPath === null ? undefined : await openAdapter(adapterPath)
  const model = open(sessions, checkpoint, path, adapter)
  const { className, methods } = model.architecture
  const factor = part === undefined ? usualFactor : await latentFactor(path)
  const sizes = {
    batch: shape.batch,
    numFrames: shape.numFrames,
    height: Math.max(1, Math.floor(shape.height / factor)),
    width: Math.max(1, Math.floor(shape.width / factor)),
  }
  const shapes = Object.entries(methods.forward!.inputsFor(model.config, sizes))
  const inputs = Object.fromEntries(shapes.map(([name, input]) => [name, valuesFor(name, input)]))
  return { className, model, call: { method: 'forward', inputs, args: methods.forward!.argsFor?.(sizes) } }
}

function open(sessions: SessionCache, checkpoint: Checkpoint, path: string, adapter?: Checkpoint): LoadedModel {
  const { config, weights } = checkpoint
  const className = classNameOf(config) ?? 'a model without a class name'
  if (className === 'UNetMotionModel' || className === 'UNet2DConditionModel')
    return openDenoiser(sessions, checkpoint, adapter)
  if (!classesWithForward.includes(className))
    throw new ProblemError(
      'unsupported',
      `${path} holds ${className}; ${classesWithForward.join(', ')} can be profiled.`,
      { file: path, field: 'model' },
    )
  return new LoadedModel(classes[className]!, config, weights, sessions)
}

/** Values do not change the time, but zeros and the like among floats would. */
function valuesFor(name: string, { dtype, shape }: InputShape): Tensor {
  if (dtype === 'int64') return int64(shape, new Array<number>(sizeOf(shape)).fill(0))
  return name === 'timestep' ? float32([1], [500]) : normalValues(shape, 1)
}

const vaeSchema = z.object({ block_out_channels: z.array(z.int()).min(1) })

async function latentFactor(folder: string): Promise<number> {
  const file = join(folder, 'vae', 'config.json')
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return usualFactor
  const { data } = vaeSchema.safeParse(await readJson(file))
  return data ? 2 ** (data.block_out_channels.length - 1) : usualFactor
}
