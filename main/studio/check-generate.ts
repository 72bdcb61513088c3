import { weightsOf } from '#app/contract/attn-processors.ts'
import type { EngineCalls, LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { GenerateSettings } from '#app/contract/settings.ts'
import type { ModelList } from './model-list.ts'

const refuse = (field: keyof GenerateSettings, message: string): never => {
  throw new ProblemError('bad-input', message, { field })
}

const nearest = (value: number, multiple: number): string => {
  const below = Math.floor(value / multiple) * multiple
  return below > 0 ? `${below} or ${below + multiple}` : `${multiple}`
}

/** The model and the motion adapter of a request, which must fit each other. Throws a ProblemError that names the field. */
export async function findPair(
  settings: Pick<GenerateSettings, 'model' | 'motionAdapter'>,
  models: Pick<ModelList, 'find'>,
): Promise<{ model: LocatedModel; motionAdapter: LocatedModel | null }> {
  const model = await models.find(settings.model, 'text-to-video', 'model')
  const motionAdapter =
    settings.motionAdapter === null
      ? null
      : await models.find(settings.motionAdapter, 'motion-adapter', 'motionAdapter')

  if (model.needsMotionAdapter && !motionAdapter) {
    refuse('motionAdapter', `${model.name} makes stills only: choose a motion adapter beside it.`)
  }
  if (!model.needsMotionAdapter && motionAdapter) {
    refuse('motionAdapter', `${model.name} has its own motion modules: use it without a motion adapter.`)
  }
  const [own, adapters] = [model.blockOutChannels, motionAdapter?.blockOutChannels]
  if (own && adapters && (own.length !== adapters.length || own.some((channels, i) => channels !== adapters[i]))) {
    const message = `${motionAdapter?.name} does not fit ${model.name}: its block channels are ${adapters.join(', ')}, the model's are ${own.join(', ')}.`
    refuse('motionAdapter', message)
  }
  return { model, motionAdapter }
}

/** Finds the models of a request and checks what can be known before they are read. Throws a ProblemError that names the field. */
export async function checkGenerate(
  settings: GenerateSettings,
  models: Pick<ModelList, 'find'>,
): Promise<Pick<EngineCalls['textToVideo']['request'], 'model' | 'motionAdapter' | 'loras' | 'customDiffusion'>> {
  const { model, motionAdapter } = await findPair(settings, models)
  const multiple = model.sizeMultiple ?? 8
  for (const side of ['width', 'height'] as const) {
    const size = settings[side]
    if (size % multiple === 0) continue
    const name = side === 'width' ? 'Width' : 'Height'
    refuse(
      side,
      `${name} ${size} is not a multiple of ${multiple}, as ${model.name} needs: use ${nearest(size, multiple)}.`,
    )
  }
  const mover = motionAdapter ?? model
  if (mover.numFrames !== undefined && settings.numFrames > mover.numFrames) {
    refuse(
      'numFrames',
      `${settings.numFrames} frames are more than ${mover.name} can make: at most ${mover.numFrames}.`,
    )
  }
  const loras: LocatedModel[] = []
  for (const { id } of settings.loras) {
    const lora = await models.find(id, 'lora', 'loras')
    if (loras.some((other) => other.id === lora.id))
      refuse('loras', `The LoRA ${lora.name} is there twice: once, with one scale, is enough.`)
    loras.push(lora)
  }
  const customDiffusion: LocatedModel[] = []
  for (const id of weightsOf(settings.attnProcessor))
    customDiffusion.push(await models.find(id, 'custom-diffusion', 'attnProcessor'))
  if (settings.fuseQkv && settings.attnProcessor !== null)
    refuse(
      'fuseQkv',
      'Fused projections are a processor of their own: switch them off, or set the attention to default.',
    )
  return { model, motionAdapter, loras, customDiffusion }
}
