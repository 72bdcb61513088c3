import type { ModelEntry } from '#app/contract/models.ts'

export const isUsable = (model: ModelEntry): boolean => !model.problem

export const modelsFor = (models: readonly ModelEntry[], task: ModelEntry['task']): ModelEntry[] =>
  models.filter((model) => model.task === task).sort((a, b) => Number(!isUsable(a)) - Number(!isUsable(b)))

export function fits(model: ModelEntry, adapter: ModelEntry): boolean {
  const [a, b] = [model.blockOutChannels, adapter.blockOutChannels]
  return !!a && !!b && a.length === b.length && a.every((channels, i) => channels === b[i])
}

/** The motion adapters that fit a model, and in words why there is none. */
export function adaptersFor(
  model: ModelEntry,
  models: readonly ModelEntry[],
): { adapters: ModelEntry[]; none?: string } {
  if (!model.needsMotionAdapter) return { adapters: [] }
  const all = modelsFor(models, 'motion-adapter').filter(isUsable)
  const adapters = all.filter((adapter) => fits(model, adapter))
  if (adapters.length > 0) return { adapters }
  const own = model.blockOutChannels?.join(', ') ?? 'unknown'
  const none =
    all.length === 0
      ? `${model.name} draws stills: it needs a motion adapter to make clips, and none was found. Put one into a model folder.`
      : `None of the ${all.length} motion adapters fits ${model.name}: its blocks have ${own} channels, ` +
        all.map((a) => `${a.name} has ${a.blockOutChannels?.join(', ') ?? 'unknown'}`).join('; ') +
        '.'
  return { adapters: [], none }
}

/** The most frames a model and its adapter make; undefined where nothing limits them. */
export const mostFrames = (model: ModelEntry | undefined, adapter: ModelEntry | undefined): number | undefined =>
  model?.needsMotionAdapter ? adapter?.numFrames : model?.numFrames
