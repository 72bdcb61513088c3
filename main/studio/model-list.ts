import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { kindOf, modelEntrySchema, type ModelEntry } from '#app/contract/models.ts'
import type { ModelRoot } from '#main/paths.ts'
import type { StudioEngine } from './studio-engine.ts'

/** The checkpoints that the engine found. Pages see entries; folders stay between host and engine. */
export function createModelList(engine: StudioEngine, roots: () => ModelRoot[], changed: () => void) {
  let models: LocatedModel[] = []
  let known = false
  let scan: Promise<void> = Promise.resolve()

  /** After the scan that runs. One that found nothing since it failed is made again, whose failure is the news. */
  const scanned = (): Promise<void> => scan.catch(() => (models.length === 0 ? refresh() : undefined))

  /** Looks again. A scan that runs is waited for, then one follows that sees the newest folders. */
  const refresh = (): Promise<void> => {
    const next = scan
      .catch(() => {})
      .then(async () => {
        try {
          ;({ models } = await engine.call('scanModels', { roots: roots() }))
        } finally {
          known = true
          changed()
        }
      })
    scan = next
    next.catch(() => {}) // reported to whoever asked; the list stays as it was
    return next
  }

  const get = async (id: string, field: string): Promise<LocatedModel> => {
    await scanned()
    const model = models.find((one) => one.id === id)
    if (model) return model
    const message = `There is no model ${JSON.stringify(id)}. Choose another one, or add its folder in the settings.`
    throw new ProblemError('bad-input', message, { field })
  }

  return {
    /**
     * The model of an id, after the scan that runs, whatever it is for. Throws 'bad-input' that names `field`, or why
     * there is no list.
     */
    get,
    /** All of them, after the scan that runs. Throws why there is no list. */
    async all(): Promise<readonly LocatedModel[]> {
      await scanned()
      return models
    },
    /** Whether a search has ended, however it did. */
    isKnown: (): boolean => known,
    entries: (): ModelEntry[] => models.flatMap((model) => modelEntrySchema.safeParse(model).data ?? []),
    refresh,
    /**
     * Throws a ProblemError that names `field`: 'bad-input' for one of another kind, 'bad-model' for one that cannot be
     * used.
     */
    async find(id: string, kind: ModelEntry['kind'], field: string): Promise<LocatedModel> {
      const model = await get(id, field)
      if (model.problem) throw new ProblemError('bad-model', model.problem.message, { ...model.problem, field })
      if (model.kind !== kind)
        throw new ProblemError(
          'bad-input',
          `${model.name} is a ${kindOf(model.kind).what}, not a ${kindOf(kind).what}.`,
          {
            field,
          },
        )
      return model
    },
  }
}
export type ModelList = ReturnType<typeof createModelList>
