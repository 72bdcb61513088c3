import { createStore, useStore } from 'zustand'
import { z } from 'zod'
import type { ModelEntry } from '#app/contract/models.ts'
import { namesMaking, pipelineOf, type RunRequest } from '#app/contract/pipelines.ts'
import { fieldDefaults, fields, type Fields } from '#app/contract/pipelines/fields.ts'
import { isPreset, withoutPreset, withPreset } from '#app/contract/presets.ts'
import { withSchedulerConfig } from '#app/contract/schedulers.ts'
import { forwardChunkingSchema, freeUPresets, freeUSchema } from '#app/contract/settings.ts'
import { keep, readKeptJson } from './kept.ts'

/** The pipelines that the form can be for. */
export const makers = namesMaking('clip', 'still', 'embedding')
export type Maker = (typeof makers)[number]

const { sampling: _, topK: __, ...makerFields } = fields

/**
 * The generate form as it stands. It has the fields of all its pipelines, so that a value stays while another is tried.
 * What is switched off keeps its values, so switching on again brings them back.
 */
export const draftSchema = z.object({
  ...makerFields,
  pipeline: z.enum(makers),
  /** Empty until the models are known. */
  model: z.string(),
  freeu: freeUSchema,
  freeuOn: z.boolean(),
  forwardChunking: forwardChunkingSchema,
  chunkingOn: z.boolean(),
  /** Off: each run draws a new seed. */
  seedLocked: z.boolean(),
})
export type Draft = z.infer<typeof draftSchema>

const { sampling: _sampling, topK: _topK, ...makerDefaults } = fieldDefaults

export const firstDraft: Draft = {
  ...makerDefaults,
  pipeline: makers[0]!,
  seedLocked: false,
  freeu: freeUPresets[1].freeu,
  freeuOn: false,
  forwardChunking: { chunkSize: 1, dim: 1 },
  chunkingOn: false,
}

const storageKey = 'frameloom.draft'

/** What a stored draft still says; keys that are missing or no longer valid fall back one by one. */
export function reviveDraft(stored: unknown): Draft {
  if (typeof stored !== 'object' || stored === null) return firstDraft
  const kept = withSchedulerConfig(stored) as Record<string, unknown>
  const values = Object.entries(draftSchema.shape).map(([key, schema]) => {
    const parsed = schema.safeParse(kept[key])
    return [key, parsed.success ? parsed.data : firstDraft[key as keyof Draft]]
  })
  return Object.fromEntries(values) as Draft
}

export const draftStore = createStore<Draft>(() => reviveDraft(readKeptJson(storageKey)))
export const useDraft = <T>(select: (draft: Draft) => T): T => useStore(draftStore, select)
export const editDraft = (change: Partial<Draft>): void => draftStore.setState(change)

/** Writes each change of the draft to this browser's storage. */
export function keepDraft(): void {
  draftStore.subscribe((draft) => keep(storageKey, JSON.stringify(draft)))
}

/** The draft turned to another model: its sizes and suggestions, and what fits beside it. */
export function suitedTo(draft: Draft, model: ModelEntry, models: readonly ModelEntry[]): Draft {
  const { pipeline, settings } = toRun(draft)
  return merged(draft, pipelineOf(pipeline).suited(settings, model, models))
}

/** The same, set up as the weights were published to be run. */
export const withModel = (draft: Draft, model: ModelEntry, models: readonly ModelEntry[]): Draft =>
  takePreset(suitedTo(refusePreset(draft, models), model, models), models)

/** The draft with other weights beside its model, set up as they were published, and no longer as those before. */
export const withWeights = (draft: Draft, weights: Partial<Draft>, models: readonly ModelEntry[]): Draft =>
  takePreset({ ...refusePreset(draft, models), ...weights }, models)

export const takePreset = (draft: Draft, models: readonly ModelEntry[]): Draft =>
  merged(draft, withPreset(toRun(draft).settings, models))

/** Where a preset is in force: back to what suits the model. */
export function refusePreset(draft: Draft, models: readonly ModelEntry[]): Draft {
  const { settings } = toRun(draft)
  const plain = merged(draft, withoutPreset(settings, models))
  const model = models.find(({ id }) => id === draft.model)
  if (!model || !isPreset(settings, models)) return plain
  const { numInferenceSteps, guidanceScale, schedulerConfig } = suitedTo(plain, model, models)
  return { ...plain, numInferenceSteps, guidanceScale, schedulerConfig }
}

/** What is switched off keeps its values in a draft. */
function merged(draft: Draft, { freeu: _, forwardChunking: __, ...settings }: Partial<Fields>): Draft {
  return { ...draft, ...settings }
}

/** What is sent to the host. */
export function toRun(draft: Draft): RunRequest<Maker> {
  const { pipeline, freeuOn, chunkingOn } = draft
  const values = {
    ...draft,
    freeu: freeuOn ? draft.freeu : null,
    forwardChunking: chunkingOn ? draft.forwardChunking : null,
  }
  const names = Object.keys(pipelineOf(pipeline).settings.shape) as (keyof typeof values)[]
  return { pipeline, settings: Object.fromEntries(names.map((name) => [name, values[name]])) } as RunRequest<Maker>
}

/** The draft that makes the same again: the seed is locked, and FreeU changes when it did. */
export function fromRun({ pipeline, settings }: RunRequest<Maker>, draft: Draft): Draft {
  // Not every pipeline has both.
  const { freeu, forwardChunking, ...rest }: Partial<Fields> = settings
  return {
    ...draft,
    ...rest,
    pipeline,
    ...(freeu !== undefined && { freeu: freeu ?? draft.freeu, freeuOn: freeu !== null }),
    ...(forwardChunking !== undefined && {
      forwardChunking: forwardChunking ?? draft.forwardChunking,
      chunkingOn: forwardChunking !== null,
    }),
    seedLocked: true,
  }
}

/** A seed that still reads well: 32 bits. */
export const rollSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
