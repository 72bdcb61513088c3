import { createStore, useStore } from 'zustand'
import { z } from 'zod'
import { defaultCompute } from '#app/contract/compute.ts'
import type { ModelEntry } from '#app/contract/models.ts'
import { freeUPresets, freeUSchema, forwardChunkingSchema, generateSettingsSchema } from '#app/contract/settings.ts'
import type { GenerateSettings } from '#app/contract/settings.ts'
import { adaptersFor, isUsable, modelsFor } from './models.ts'

/** The generate form as it stands. What is switched off keeps its values, so switching on again brings them back. */
export const draftSchema = generateSettingsSchema.extend({
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

export const firstDraft: Draft = {
  model: '',
  motionAdapter: null,
  prompt: '',
  negativePrompt: '',
  width: 512,
  height: 512,
  numFrames: 16,
  numInferenceSteps: 25,
  guidanceScale: 7.5,
  seed: 0,
  seedLocked: false,
  scheduler: null,
  betaSchedule: null,
  eta: 0,
  freeu: freeUPresets[1].freeu,
  freeuOn: false,
  freeuChanges: [],
  forwardChunking: { chunkSize: 1, dim: 1 },
  chunkingOn: false,
  attnProcessor: null,
  fuseQkv: false,
  loras: [],
  loraChanges: [],
  clipSkip: null,
  fps: 8,
  compute: defaultCompute,
}

const storageKey = 'frameloom.draft'

/** What a stored draft still says; keys that are missing or no longer valid fall back one by one. */
export function reviveDraft(stored: unknown): Draft {
  if (typeof stored !== 'object' || stored === null) return firstDraft
  const values = Object.entries(draftSchema.shape).map(([key, schema]) => {
    const parsed = schema.safeParse((stored as Record<string, unknown>)[key])
    return [key, parsed.success ? parsed.data : firstDraft[key as keyof Draft]]
  })
  return Object.fromEntries(values) as Draft
}

function readStored(): unknown {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? 'null')
  } catch {
    return null
  }
}

export const draftStore = createStore<Draft>(() =>
  typeof localStorage === 'undefined' ? firstDraft : reviveDraft(readStored()),
)
export const useDraft = <T>(select: (draft: Draft) => T): T => useStore(draftStore, select)
export const editDraft = (change: Partial<Draft>): void => draftStore.setState(change)

/** Writes each change of the draft to this browser's storage. */
export function keepDraft(): void {
  draftStore.subscribe((draft) => {
    try {
      localStorage.setItem(storageKey, JSON.stringify(draft))
    } catch {
      // Storage may be full or forbidden; the draft then lasts as long as the page.
    }
  })
}

/** The draft turned to another model: its own adapter, sizes and suggestions; the prompt only where the user has not written one. */
export function withModel(draft: Draft, model: ModelEntry, models: readonly ModelEntry[]): Draft {
  const { adapters } = adaptersFor(model, models)
  const kept = adapters.find((adapter) => adapter.id === draft.motionAdapter)
  const suggestions = models.map((entry) => entry.suggested?.prompt)
  const isOwnPrompt = draft.prompt.trim() !== '' && !suggestions.includes(draft.prompt)
  const { prompt, numFrames, numInferenceSteps, guidanceScale, betaSchedule } = model.suggested ?? {}
  return {
    ...draft,
    numFrames: numFrames ?? draft.numFrames,
    numInferenceSteps: numInferenceSteps ?? draft.numInferenceSteps,
    guidanceScale: guidanceScale ?? draft.guidanceScale,
    betaSchedule: betaSchedule ?? null,
    model: model.id,
    motionAdapter: (kept ?? adapters[0])?.id ?? null,
    ...(model.nativeSize && { width: model.nativeSize, height: model.nativeSize }),
    ...(prompt !== undefined && !isOwnPrompt && { prompt }),
  }
}

/** Chooses a model for a draft that has none yet: the first usable one. */
export function withFirstModel(draft: Draft, models: readonly ModelEntry[]): Draft {
  if (draft.model !== '') return draft
  const usable = modelsFor(models, 'text-to-video').filter(isUsable)
  const first = usable.find((model) => !adaptersFor(model, models).none) ?? usable[0]
  return first ? withModel(draft, first, models) : draft
}

/** The same for the form itself, whenever models are found. */
export const chooseFirstModel = (models: readonly ModelEntry[]): void =>
  draftStore.setState((draft) => withFirstModel(draft, models))

/** What is sent to the host. */
export function toSettings(draft: Draft): GenerateSettings {
  const { freeuOn, chunkingOn, seedLocked: _, ...rest } = draft
  return {
    ...rest,
    freeu: freeuOn ? draft.freeu : null,
    forwardChunking: chunkingOn ? draft.forwardChunking : null,
  }
}

/** The draft that makes the same clip again: the seed is locked, and FreeU changes when it did. */
export function fromSettings(settings: GenerateSettings, draft: Draft): Draft {
  return {
    ...settings,
    freeu: settings.freeu ?? draft.freeu,
    freeuOn: settings.freeu !== null,
    forwardChunking: settings.forwardChunking ?? draft.forwardChunking,
    chunkingOn: settings.forwardChunking !== null,
    seedLocked: true,
  }
}

/** A seed that still reads well: 32 bits. */
export const rollSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
