import { defaultCompute } from '../contract/compute.ts'
import type { RunResult } from '../contract/engine.ts'
import type { RecipeOf } from '../contract/recipe.ts'
import type { ClassificationResult } from '../contract/results.ts'
import { defaultSettings } from '../contract/pipelines.ts'
import type { TextToVideoSettings } from '../contract/pipelines/text-to-video.ts'

/** Values for tests that need whole settings, recipes and results. */
export const testSettings: TextToVideoSettings = {
  ...defaultSettings('text-to-video'),
  model: 'painter',
  motionAdapter: 'motion',
  prompt: 'a red circle, größer ✨',
  width: 64,
  height: 64,
  numFrames: 8,
  numInferenceSteps: 4,
  guidanceScale: 4,
  seed: 7,
}

/** What a run that makes a picture, or labels, ended with. */
export function picture(result: RunResult): Extract<RunResult, { kind: 'picture' }> {
  if (result.kind !== 'picture') throw new Error('it made no picture')
  return result
}
export function labels(result: RunResult): Extract<RunResult, { kind: 'labels' }> {
  if (result.kind !== 'labels') throw new Error('it gave no labels')
  return result
}

const reference = (id: string) => ({ id, name: id, sha256: { 'a.safetensors': 'ab'.repeat(32) } })

export const testRecipe = (prompt: string): RecipeOf<'clip'> => ({
  frameloom: 2,
  appVersion: '0.1.0',
  pipeline: 'text-to-video',
  settings: { ...testSettings, prompt },
  models: { model: [reference('painter')], motionAdapter: [reference('motion')], loras: [], customDiffusion: [] },
})

export const testClassification = (id: string, title: string): ClassificationResult => ({
  id,
  createdAt: 1_700_000_000_000,
  title,
  kind: 'classification',
  settings: { model: 'judge', sampling: { kind: 'even' }, topK: 5, compute: defaultCompute },
  classification: {
    labels: [{ label: 'red circle', probability: 0.9 }],
    windows: [[0, 1]],
    frameCount: 2,
    notes: [],
    modelName: 'judge',
  },
})
