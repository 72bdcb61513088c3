import type { ModelEntry } from '#app/contract/models.ts'
import type { Recipe } from '#app/contract/recipe.ts'
import type { ForeignValues } from '#app/media/foreign-notes.ts'
import type { ForeignRecipe } from '#app/media/foreign-recipe.ts'
import type { EmbeddingResult, PictureResult } from '#app/contract/results.ts'
import { forScheduler } from '#app/contract/schedulers.ts'
import { draftStore, fromRun } from '#renderer/store/draft.ts'
import { replaceDraft, undoDraft } from '#renderer/store/draft-history.ts'
import { callHost } from '#renderer/store/host.ts'
import { pipelineOf } from '#app/contract/pipelines.ts'
import { allFields } from '#app/contract/pipelines/fields.ts'
import { mediaOf } from '#app/contract/pipelines/pipeline.ts'
import { changedModels, missingModels } from '#renderer/store/recipe-warnings.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { tell, tellFailure, type ToastAction } from '#renderer/store/toasts.ts'
import { goTo } from '#renderer/store/view.ts'
import { shortTitle } from './library.ts'

/** Fills the form with the settings of a clip, still or embedding of the library. */
export function restoreSettings(clip: PictureResult | EmbeddingResult): void {
  fillForm(clip.recipe)
  tell(
    'success',
    'Settings restored',
    `From “${shortTitle(clip.title)}”. The seed is locked: Generate makes the same again.`,
    undo,
  )
}

/**
 * Fills the form with a recipe from a file, and says which of its models are not here. `instead`: what else the user
 * may have wanted.
 */
export function restoreRecipe(recipe: Recipe, from: string, instead: ToastAction): void {
  const { models } = studioStore.getState()
  const warnings = missingModels(recipe, models)
  fillForm(recipe)
  const { makes } = pipelineOf(recipe.pipeline)
  const { seed, width, height, numFrames, numInferenceSteps } = allFields(recipe.settings)
  const frames = makes === 'clip' ? `${numFrames} frames` : 'a still'
  const size = [`${frames} at ${width} × ${height}`, `${numInferenceSteps} steps and the rest`]
  const facts = [`seed ${seed}`, ...(makes === 'embedding' ? ['what is mixed and the rest'] : size)]
  const what = `Prompt, ${facts.join(', ')}, from ${from}.`
  if (warnings.length === 0) tell('success', 'Settings restored', what, undo, instead)
  else tell('warning', 'Settings restored, with a warning', warnings.join(' '), undo, instead)
  void compareWeights(recipe, models)
}

/**
 * Fills the form with what is understood of another program's recipe, and lists the rest of it. The model stays: it
 * knows others by other names.
 */
export function adoptRecipe({ program, values, left }: ForeignRecipe, from: string, instead: ToastAction): void {
  const draft = draftStore.getState()
  const scheduler = values.scheduler ?? draft.scheduler
  replaceDraft({
    ...draft,
    ...values,
    // The noise schedule that a motion adapter was trained on is told of by none of them.
    schedulerConfig: forScheduler({ ...draft.schedulerConfig, ...values.schedulerConfig }, scheduler),
    seedLocked: values.seed !== undefined || draft.seedLocked,
  })
  goTo('generate')
  const taken = Object.keys(values).map((name) => fieldNames[name as keyof ForeignValues])
  tell(
    left.length > 0 ? 'warning' : 'success',
    `Settings taken from ${program}`,
    [
      `From ${from}: ${taken.join(', ') || 'nothing'}.`,
      left.length > 0 && `Not understood, and left as it was: ${left.join('; ')}.`,
    ]
      .filter(Boolean)
      .join(' '),
    undo,
    instead,
  )
}

const fieldNames: Readonly<Record<keyof ForeignValues, string>> = {
  prompt: 'prompt',
  negativePrompt: 'negative prompt',
  width: 'width',
  schedulerConfig: 'schedule',
  height: 'height',
  numFrames: 'frames',
  fps: 'frame rate',
  numInferenceSteps: 'steps',
  guidanceScale: 'guidance',
  seed: 'seed',
  scheduler: 'scheduler',
  clipSkip: 'CLIP skip',
}

/** What stood in the form before. */
const undo: ToastAction = { label: 'Undo', perform: undoDraft }

function fillForm(recipe: Recipe): void {
  replaceDraft(fromRun(recipe, draftStore.getState()))
  goTo('generate')
  void lookForInputs(recipe)
}

/** Says which of the pictures and clips that it was made of are not here. */
async function lookForInputs({ pipeline, settings }: Recipe): Promise<void> {
  const refs = Object.values(mediaOf(pipelineOf(pipeline), settings)).flat()
  if (refs.length === 0) return
  try {
    const missing = await callHost((host) => host.missingInputs(refs))
    const names = [...new Set(missing.map(({ name }) => `“${name}”`))].join(', ')
    if (missing.length > 0) tell('warning', 'Not all that it was made of is here', `Choose ${names} again.`)
  } catch (error) {
    tellFailure('The files that it was made of could not be looked for', error)
  }
}

/** Goes on in the background: weights that were never hashed take a while to read. */
async function compareWeights(recipe: Recipe, models: readonly ModelEntry[]): Promise<void> {
  try {
    const warnings = await changedModels(recipe, models, (id) => callHost((host) => host.weightHashes({ id })))
    if (warnings.length > 0) tell('warning', 'The clip may not come out the same', warnings.join(' '))
  } catch (error) {
    tellFailure('The weights could not be compared with those of the clip', error)
  }
}
