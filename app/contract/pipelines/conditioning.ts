import type { MediaRef } from '../media-refs.ts'
import type { ModelEntry } from '../models.ts'
import { fields, type Fields } from './fields.ts'
import { badInput, type ByRole, type FieldProblem, type MediaRole, type ModelRole } from './pipeline.ts'
import type { DiffusionSettings } from './stable-diffusion.ts'

/** What clips of a Stable Diffusion model can be steered by beside the prompt. */
export const conditioningFields = {
  controlNets: fields.controlNets,
  controlFrames: fields.controlFrames,
  guessMode: fields.guessMode,
  sparseControl: fields.sparseControl,
  sparsePictures: fields.sparsePictures,
  ipAdapters: fields.ipAdapters,
  ipPictures: fields.ipPictures,
  imageEncoder: fields.imageEncoder,
}
export type ConditioningSettings = DiffusionSettings & Pick<Fields, keyof typeof conditioningFields>

export const conditioningModels = {
  controlNets: { kind: 'controlnet', field: 'controlNets', ids: ({ controlNets }) => controlNets.map(({ id }) => id) },
  sparseControl: {
    kind: 'sparse-controlnet',
    field: 'sparseControl',
    ids: ({ sparseControl }) => (sparseControl ? [sparseControl.id] : []),
  },
  ipAdapters: { kind: 'ip-adapter', field: 'ipAdapters', ids: ({ ipAdapters }) => ipAdapters.map(({ id }) => id) },
  imageEncoder: {
    kind: 'image-encoder',
    field: 'imageEncoder',
    ids: ({ imageEncoder }) => (imageEncoder === null ? [] : [imageEncoder]),
  },
} as const satisfies Record<string, ModelRole<ConditioningSettings>>

const chosen = (refs: readonly (MediaRef | null)[]): MediaRef[] => refs.filter((ref) => ref !== null)

/** In the first place that is free, else at the end. */
function put(refs: readonly (MediaRef | null)[], ref: MediaRef): (MediaRef | null)[] {
  const free = refs.indexOf(null)
  return free < 0 ? [...refs, ref] : refs.with(free, ref)
}

export const conditioningMedia = <S extends ConditioningSettings>() =>
  ({
    controlFrames: {
      takes: 'clip',
      field: 'controlFrames',
      optional: true,
      refs: ({ controlFrames }) => chosen(controlFrames),
      put: (settings, ref) => ({ ...settings, controlFrames: put(settings.controlFrames, ref) }),
    },
    sparsePictures: {
      takes: 'still',
      field: 'sparsePictures',
      optional: true,
      refs: ({ sparsePictures }) => chosen(sparsePictures),
      put: (settings, ref) => ({ ...settings, sparsePictures: put(settings.sparsePictures, ref) }),
    },
    ipPictures: {
      takes: 'still',
      field: 'ipPictures',
      optional: true,
      refs: ({ ipPictures }) => chosen(ipPictures),
      put: (settings, ref) => ({ ...settings, ipPictures: put(settings.ipPictures, ref) }),
    },
  }) as const satisfies Record<string, MediaRole<S>>

/** What does not fit of what steers a clip. */
export function checkConditioning(
  settings: ConditioningSettings & Pick<Fields, 'numFrames'>,
  found: ByRole<ModelEntry>,
): FieldProblem[] {
  const { controlNets, controlFrames, sparseControl, sparsePictures, ipAdapters, ipPictures, numFrames } = settings
  const [model] = found.model ?? []
  const backwards = controlNets.find(({ start, end }) => start >= end)
  const late = sparseControl?.frames.find((frame) => frame >= numFrames)
  return [
    ...places(controlFrames, controlNets.length, 'controlFrames', 'a clip', 'ControlNet'),
    ...places(sparsePictures, sparseControl?.frames.length ?? 0, 'sparsePictures', 'a picture', 'frame of SparseCtrl'),
    ...places(ipPictures, ipAdapters.length, 'ipPictures', 'a picture', 'IP-Adapter'),
    ...(backwards
      ? [badInput('controlNets', `A ControlNet that holds from ${backwards.start} to ${backwards.end} never does.`)]
      : []),
    ...(sparseControl?.frames.length === 0
      ? [badInput('sparseControl', 'SparseCtrl needs at least one frame that it has a picture for.')]
      : []),
    ...(late === undefined
      ? []
      : [
          badInput(
            'sparseControl',
            `SparseCtrl has a picture for frame ${late}, but the last frame is ${numFrames - 1}.`,
          ),
        ]),
    ...sparseLength(found.sparseControl?.[0], numFrames),
    ...['controlNets', 'sparseControl', 'ipAdapters'].flatMap((role) =>
      (found[role] ?? []).flatMap((steering) => baseProblems(role as 'controlNets', steering, model)),
    ),
    ...(found.ipAdapters ?? []).flatMap((adapter) => encoderProblems(adapter, found.imageEncoder?.[0])),
  ]
}

/** As many pictures or clips as there are models for them, each chosen. */
function places(
  refs: readonly (MediaRef | null)[],
  needed: number,
  field: keyof Fields,
  what: string,
  one: string,
): FieldProblem[] {
  if (chosen(refs).length === needed && refs.length === needed) return []
  const message =
    refs.length > needed
      ? `There are ${refs.length} of them for ${needed === 0 ? 'no' : needed} ${one}: take away what is too many.`
      : `Choose ${what} for each ${one}.`
  return [badInput(field, message)]
}

function sparseLength(sparse: ModelEntry | undefined, numFrames: number): FieldProblem[] {
  if (sparse?.numFrames === undefined || numFrames <= sparse.numFrames) return []
  const message = `${numFrames} frames are more than ${sparse.name} can steer: at most ${sparse.numFrames}.`
  return [badInput('sparseControl', message)]
}

/** What was trained beside another base model sees texts of another width, or blocks of other channels. */
function baseProblems(
  field: 'controlNets' | 'sparseControl' | 'ipAdapters',
  steering: ModelEntry,
  model: ModelEntry | undefined,
): FieldProblem[] {
  const [theirs, ours] = [steering.crossAttentionDim, model?.crossAttentionDim]
  if (model && theirs !== undefined && ours !== undefined && theirs !== ours)
    return [
      badInput(
        field,
        `${steering.name} is for another base model: its cross_attention_dim is ${theirs}, that of ${model.name} ${ours}.`,
      ),
    ]
  const [blocks, others] = [model?.blockOutChannels?.join(', '), steering.blockOutChannels?.join(', ')]
  if (!model || blocks === undefined || others === undefined || blocks === others) return []
  return [
    badInput(
      field,
      `${steering.name} is for another base model: its block channels are ${others}, those of ${model.name} ${blocks}.`,
    ),
  ]
}

function encoderProblems(adapter: ModelEntry, encoder: ModelEntry | undefined): FieldProblem[] {
  const [[takes, width] = []] = Object.entries(adapter.imageEmbeds ?? {})
  if (!encoder) {
    if (adapter.hasImageEncoder) return []
    const message = `${adapter.name} needs the image encoder that it was trained with: put its folder image_encoder beside the file, or choose one.`
    return [badInput('imageEncoder', message)]
  }
  const given = encoder.imageEmbeds?.[takes as 'image_embeds' | 'hidden_states']
  if (width === undefined || given === undefined || given === width) return []
  const message = `${encoder.name} is not the image encoder of ${adapter.name}: its embeddings are ${given} wide, where ${width} are needed.`
  return [badInput('imageEncoder', message)]
}
