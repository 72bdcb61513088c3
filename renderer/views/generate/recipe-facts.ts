import { pipelineOf } from '#app/contract/pipelines.ts'
import type { MediaRef } from '#app/contract/media-refs.ts'
import type { MixItem } from '#app/contract/mix.ts'
import { allFields, type Fields } from '#app/contract/pipelines/fields.ts'
import { mediaOf } from '#app/contract/pipelines/pipeline.ts'
import { itemsOf } from '#app/contract/pipelines/prior.ts'
import type { PictureRecipe } from '#app/contract/recipe.ts'
import { isSchedulerClass, schedulerTable } from '#app/contract/schedulers.ts'
import type { PictureResult } from '#app/contract/results.ts'
import type { FreeU } from '#app/contract/settings.ts'
import { attentionLabel } from '#renderer/store/attention.ts'
import { computeLabel } from '#renderer/store/compute.ts'
import { bytesText } from '#renderer/ui/format.ts'
import { longClipLabels } from './long-clip-words.ts'
import { scheduleInWords } from './scheduler-settings.ts'

export type Fact = readonly [name: string, value: string]

const only = (when: boolean, ...fact: Fact): Fact[] => (when ? [fact] : [])
const freeuText = (freeu: FreeU | null): string =>
  freeu ? `b1 ${freeu.b1}, b2 ${freeu.b2}, s1 ${freeu.s1}, s2 ${freeu.s2}` : 'Off'
const schedulerLabel = (name: string): string => (isSchedulerClass(name) ? schedulerTable[name].label : name)

/** The parts of a mix with their weights. */
export const mixFacts = (settings: Parameters<typeof itemsOf>[0]): Fact[] =>
  itemsOf(settings).map((item) => ['Mixed', `${nameOfItem(item)}, weight ${item.weight}`])
const nameOfItem = (item: MixItem): string => (item.kind === 'text' ? `“${item.text}”` : (item.media?.name ?? ''))

/** All that a recipe says beside its prompts, in the order of the form. */
export function recipeFacts(clip: PictureResult): Fact[] {
  const { recipe } = clip
  const own: Partial<Fields> = recipe.settings
  const moves = clip.kind === 'clip'
  return [
    ...modelFacts(recipe, moves),
    ...sourceFacts(recipe),
    ['Size', `${clip.width} × ${clip.height}${moves ? `, ${clip.numFrames} frames` : ''}`],
    ...only(moves, 'Length', `${(clip.numFrames / clip.fps).toFixed(2)} s at ${clip.fps} fps`),
    ...lengthFacts(own),
    ...samplingFacts(recipe),
    ['Compute', computeLabel(recipe.settings.compute)],
    ['File', `${bytesText(clip.bytes)}, lossless WebP`],
    ['Made', new Date(clip.createdAt).toLocaleString()],
  ]
}

function modelFacts({ models, settings: given }: PictureRecipe, moves: boolean): Fact[] {
  const settings = allFields(given)
  const nameOf = (id: string): string => models.loras?.find((lora) => lora.id === id)?.name ?? id
  return [
    ['Model', models.model?.[0]?.name ?? settings.model],
    ...only(moves, 'Motion', models.motionAdapter?.[0]?.name ?? 'Inside the model'),
    ...(models.textEncoder ?? []).map(({ name }): Fact => ['Text encoder', name]),
    ...(models.vae ?? []).map(({ name }): Fact => ['VAE', name]),
    ...settings.loras.map(({ id, scale }): Fact => ['LoRA', `${nameOf(id)}, scale ${scale}`]),
    ...settings.loraChanges.map(({ step, scales }): Fact => [
      `Step ${step + 1} on`,
      Object.entries(scales)
        .map(([id, scale]) => `${nameOf(id)} ${scale}`)
        .join(', '),
    ]),
    ...(models.prior ?? []).map(({ name }): Fact => ['Prior', name]),
  ]
}

/** What it was made of, and what steered it. */
function sourceFacts({ pipeline, models, settings: given }: PictureRecipe): Fact[] {
  const settings = allFields(given)
  const { image = [], video = [] } = mediaOf(pipelineOf(pipeline), given)
  const made = [...image, ...video]
  const of = (file: MediaRef | null | undefined): string => (file ? `, ${file.name}` : '')
  const named = (role: string, id: string): string => models[role]?.find((model) => model.id === id)?.name ?? id
  const { sparseControl: sparse, sparsePictures } = settings
  return [
    ...(settings.mix.length > 0 ? mixFacts(settings) : []),
    ...made.map(({ name }): Fact => ['Made from', name]),
    ...only(made.length > 0, 'Strength', String(settings.strength)),
    ...settings.controlNets.map(({ id, scale, start, end, detect }, at): Fact => {
      const part = start > 0 || end < 1 ? `, ${start} to ${end}` : ''
      const edges = detect === 'canny' ? ', its edges' : ''
      return [
        'ControlNet',
        `${named('controlNets', id)}, scale ${scale}${part}${of(settings.controlFrames[at])}${edges}`,
      ]
    }),
    ...only(settings.controlNets.length > 0 && settings.guessMode, 'Guess', 'On'),
    ...(sparse?.frames ?? []).map((frame, at): Fact => [
      'SparseCtrl',
      `${named('sparseControl', sparse!.id)}, scale ${sparse!.scale}, frame ${frame}${of(sparsePictures[at])}`,
    ]),
    ...settings.ipAdapters.map(({ id, scale }, at): Fact => [
      'IP-Adapter',
      `${named('ipAdapters', id)}, scale ${scale}${of(settings.ipPictures[at])}`,
    ]),
  ]
}

function lengthFacts({ longClip, laterPrompts = [], freeInit }: Partial<Fields>): Fact[] {
  const windows = longClip && `${longClip.contextLength} frames, every ${longClip.contextStride}`
  return [
    ...(longClip ? [[longClipLabels[longClip.kind], windows] as Fact] : []),
    ...laterPrompts.map(({ frame, prompt }): Fact => [`Frame ${frame} on`, prompt]),
    ...(freeInit ? [['FreeInit', `${freeInit.numIters} rounds, ${freeInit.method}`] as Fact] : []),
  ]
}

function samplingFacts({ settings: given }: PictureRecipe): Fact[] {
  const own: Partial<Fields> = given
  const settings = allFields(given)
  const scheduler = settings.scheduler ? schedulerLabel(settings.scheduler) : 'As the checkpoint says'
  return [
    [
      'Steps',
      `${own.timesteps ? `at ${own.timesteps.join(', ')}` : settings.numInferenceSteps}, guidance ${settings.guidanceScale}`,
    ],
    ...only(own.useResolutionBinning === false, 'Binning', 'Off'),
    ...only(own.cleanCaption === false, 'Prompt', 'As written'),
    ['Seed', String(settings.seed)],
    ...only('priorSteps' in own, 'Prior steps', `${settings.priorSteps}, guidance ${settings.priorGuidanceScale}`),
    ...only('superResSteps' in own, 'Enlarging', `${settings.superResSteps} steps`),
    ...only('scheduler' in own, 'Scheduler', `${scheduler}${settings.eta > 0 ? `, eta ${settings.eta}` : ''}`),
    ...scheduleInWords(settings.schedulerConfig),
    ...only((own.guidanceRescale ?? 0) > 0, 'Rescale', String(own.guidanceRescale)),
    ...(own.freeu === undefined ? [] : [['FreeU', freeuText(own.freeu)] as Fact]),
    ...(own.freeuChanges ?? []).map((change): Fact => [`Step ${change.step + 1} on`, freeuText(change.freeu)]),
    ...only(own.clipSkip != null, 'CLIP skip', String(own.clipSkip)),
    ...(settings.attnProcessor ? [['Attention', attentionLabel(settings.attnProcessor)] as Fact] : []),
    ...only(settings.fuseQkv, 'Attention', 'Fused query, key and value'),
    ...only(settings.vaeTiling !== null, 'Decoded', `In tiles of ${settings.vaeTiling} pixels`),
  ]
}
