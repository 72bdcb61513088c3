import type { MediaRef } from '../media-refs.ts'
import type { ModelEntry, ModelKind } from '../models.ts'
import { fields, type Fields } from './fields.ts'
import { badInput, type ByRole, type FieldProblem, type MediaRole, type ModelRole } from './pipeline.ts'
import type { DiffusionSettings } from './stable-diffusion.ts'

/** What stills of a Stable Diffusion model can be steered by beside the prompt. */
export const stillConditioningFields = {
  controlNets: fields.controlNets,
  controlFrames: fields.controlFrames,
  guessMode: fields.guessMode,
  ipAdapters: fields.ipAdapters,
  ipPictures: fields.ipPictures,
  imageEncoder: fields.imageEncoder,
}
export type StillConditioning = DiffusionSettings & Pick<Fields, keyof typeof stillConditioningFields>

/** The same of clips, and what is for clips alone. */
export const conditioningFields = {
  ...stillConditioningFields,
  sparseControl: fields.sparseControl,
  sparsePictures: fields.sparsePictures,
}
export type ConditioningSettings = DiffusionSettings & Pick<Fields, keyof typeof conditioningFields>

export const stillConditioningModels = {
  controlNets: { kind: 'controlnet', field: 'controlNets', ids: ({ controlNets }) => controlNets.map(({ id }) => id) },
  ipAdapters: { kind: 'ip-adapter', field: 'ipAdapters', ids: ({ ipAdapters }) => ipAdapters.map(({ id }) => id) },
  imageEncoder: {
    kind: 'image-encoder',
    field: 'imageEncoder',
    ids: ({ imageEncoder }) => (imageEncoder === null ? [] : [imageEncoder]),
  },
} as const satisfies Record<string, ModelRole<StillConditioning>>

export const conditioningModels = {
  ...stillConditioningModels,
  sparseControl: {
    kind: 'sparse-controlnet',
    field: 'sparseControl',
    ids: ({ sparseControl }) => (sparseControl ? [sparseControl.id] : []),
  },
} as const satisfies Record<string, ModelRole<ConditioningSettings>>

const chosen = (refs: readonly (MediaRef | null)[]): MediaRef[] => refs.filter((ref) => ref !== null)

export const newControlNet = (id: string): Fields['controlNets'][number] => ({
  id,
  scale: 1,
  start: 0,
  end: 1,
  detect: 'none',
})
export const newSparseControl = (id: string): NonNullable<Fields['sparseControl']> => ({ id, scale: 1, frames: [0] })
export const newIpAdapter = (id: string): Fields['ipAdapters'][number] => ({ id, scale: 0.6 })

/** In the first of so many places that is free; else a place more is made for it. */
function put(refs: readonly (MediaRef | null)[], ref: MediaRef, places: number): (MediaRef | null)[] {
  const all = Array.from({ length: places }, (_, i) => refs[i] ?? null)
  const free = all.indexOf(null)
  return free < 0 ? [...all, ref] : all.with(free, ref)
}

/** The first model of a kind that is not taken: one that fits the model of the settings, where there is one. */
function freeReader(
  kind: ModelKind,
  { model }: DiffusionSettings,
  taken: readonly { readonly id: string }[],
  models: readonly ModelEntry[],
): string | undefined {
  const base = models.find(({ id }) => id === model)
  const free = models.filter((one) => one.kind === kind && !one.problem && !taken.some(({ id }) => id === one.id))
  return (free.find((one) => baseProblems('controlNets', one, base).length === 0) ?? free[0])?.id
}

/** Frames of a clip, or one picture. */
const controlRole = <S extends StillConditioning>(takes: 'clip' | 'still'): MediaRole<S> => ({
  takes,
  field: 'controlFrames',
  use: takes === 'clip' ? 'Frames for a ControlNet' : 'Picture for a ControlNet',
  reader: 'controlnet',
  optional: true,
  refs: ({ controlFrames }) => chosen(controlFrames),
  put(settings, ref, models) {
    const { controlNets } = settings
    const controlFrames = put(settings.controlFrames, ref, controlNets.length)
    const id = freeReader('controlnet', settings, controlNets, models)
    if (controlFrames.length === controlNets.length || id === undefined) return { ...settings, controlFrames }
    return { ...settings, controlFrames, controlNets: [...controlNets, newControlNet(id)] }
  },
})

/** What stills are steered by, as the media of their record. */
export const stillConditioningMedia = <S extends StillConditioning>() =>
  ({
    controlFrames: controlRole<S>('still'),
    ipPictures: {
      takes: 'still',
      field: 'ipPictures',
      use: 'Picture for an IP-Adapter',
      reader: 'ip-adapter',
      optional: true,
      refs: ({ ipPictures }) => chosen(ipPictures),
      put(settings, ref, models) {
        const { ipAdapters } = settings
        const ipPictures = put(settings.ipPictures, ref, ipAdapters.length)
        const id = freeReader('ip-adapter', settings, ipAdapters, models)
        if (ipPictures.length === ipAdapters.length || id === undefined) return { ...settings, ipPictures }
        const imageEncoder = settings.imageEncoder ?? encoderFor(id, models)
        return { ...settings, ipPictures, ipAdapters: [...ipAdapters, newIpAdapter(id)], imageEncoder }
      },
    },
  }) as const satisfies Record<string, MediaRole<S>>

/** The same of clips. */
export const conditioningMedia = <S extends ConditioningSettings>() =>
  ({
    ...stillConditioningMedia<S>(),
    controlFrames: controlRole<S>('clip'),
    sparsePictures: {
      takes: 'still',
      field: 'sparsePictures',
      use: 'Frame for SparseCtrl',
      reader: 'sparse-controlnet',
      optional: true,
      refs: ({ sparsePictures }) => chosen(sparsePictures),
      put(settings, ref, models) {
        const id = freeReader('sparse-controlnet', settings, [], models)
        const sparse = settings.sparseControl ?? (id === undefined ? null : newSparseControl(id))
        if (!sparse) return { ...settings, sparsePictures: [ref] }
        const sparsePictures = put(settings.sparsePictures, ref, sparse.frames.length)
        const next = Math.max(-1, ...sparse.frames) + 1
        const frames = sparsePictures.length > sparse.frames.length ? [...sparse.frames, next] : sparse.frames
        return { ...settings, sparsePictures, sparseControl: { ...sparse, frames } }
      },
    },
  }) as const satisfies Record<string, MediaRole<S>>

/** What does not fit of what steers a still, or a clip where frames are said to be needed. */
export function checkStillConditioning(
  { controlNets, controlFrames, ipAdapters, ipPictures }: StillConditioning,
  found: ByRole<ModelEntry>,
  takes: 'a clip' | 'a picture' = 'a picture',
): FieldProblem[] {
  const backwards = controlNets.find(({ start, end }) => start >= end)
  return [
    ...places(controlFrames, controlNets.length, 'controlFrames', takes, 'ControlNet'),
    ...places(ipPictures, ipAdapters.length, 'ipPictures', 'a picture', 'IP-Adapter'),
    ...(backwards
      ? [badInput('controlNets', `A ControlNet that holds from ${backwards.start} to ${backwards.end} never does.`)]
      : []),
    ...(['controlNets', 'ipAdapters'] as const).flatMap((role) => basesOf(role, found)),
    ...(found.ipAdapters ?? []).flatMap((adapter) => encoderProblems(adapter, found.imageEncoder?.[0])),
  ]
}

const basesOf = (role: 'controlNets' | 'sparseControl' | 'ipAdapters', found: ByRole<ModelEntry>): FieldProblem[] =>
  (found[role] ?? []).flatMap((steering) => baseProblems(role, steering, found.model?.[0]))

/** What does not fit of what steers a clip. */
export function checkConditioning(
  settings: ConditioningSettings & Pick<Fields, 'numFrames'>,
  found: ByRole<ModelEntry>,
): FieldProblem[] {
  const { sparseControl, sparsePictures, numFrames } = settings
  const late = sparseControl?.frames.find((frame) => frame >= numFrames)
  return [
    ...checkStillConditioning(settings, found, 'a clip'),
    ...places(sparsePictures, sparseControl?.frames.length ?? 0, 'sparsePictures', 'a picture', 'frame of SparseCtrl'),
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
    ...basesOf('sparseControl', found),
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

/** The first image encoder that an adapter can be used with, where it has none of its own. */
function encoderFor(id: string, models: readonly ModelEntry[]): string | null {
  const adapter = models.find((model) => model.id === id)
  if (!adapter || adapter.hasImageEncoder) return null
  const encoders = models.filter(({ kind, problem }) => kind === 'image-encoder' && !problem)
  return encoders.find((encoder) => encoderProblems(adapter, encoder).length === 0)?.id ?? null
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
