import { defaultCompute } from '../contract/compute.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { ClassificationResult } from '../contract/results.ts'
import type { GenerateSettings } from '../contract/settings.ts'

/** Values for tests that need whole settings, recipes and results. */
export const testSettings: GenerateSettings = {
  model: 'painter',
  motionAdapter: 'motion',
  prompt: 'a red circle, größer ✨',
  negativePrompt: '',
  width: 64,
  height: 64,
  numFrames: 8,
  numInferenceSteps: 4,
  guidanceScale: 4,
  seed: 7,
  scheduler: null,
  betaSchedule: null,
  eta: 0,
  freeu: null,
  freeuChanges: [],
  forwardChunking: null,
  attnProcessor: null,
  fuseQkv: false,
  loras: [],
  loraChanges: [],
  clipSkip: null,
  fps: 8,
  compute: defaultCompute,
}

const reference = (id: string) => ({ id, name: id, sha256: { 'a.safetensors': 'ab'.repeat(32) } })

export const testRecipe = (prompt: string): Recipe => ({
  frameloom: 1,
  appVersion: '0.1.0',
  pipeline: 'text-to-video',
  settings: { ...testSettings, prompt },
  model: reference('painter'),
  motionAdapter: reference('motion'),
  loras: [],
  customDiffusion: [],
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
