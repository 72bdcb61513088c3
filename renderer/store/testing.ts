import type { ModelEntry } from '#app/contract/models.ts'
import type { Job } from '#app/contract/jobs.ts'
import { defaultCompute } from '#app/contract/compute.ts'
import type { ClassificationResult, PictureResult } from '#app/contract/results.ts'
import { defaultSettings } from '#app/contract/pipelines.ts'

// Whole values for tests; each test says only what it is about.

export const aModel = (change: Partial<ModelEntry> = {}): ModelEntry => ({
  id: 'shapes',
  name: 'Shapes',
  kind: 'stable-diffusion',
  className: 'StableDiffusionPipeline',
  source: 'bundled',
  location: 'bundled: shapes',
  bytes: 1,
  precision: 'float32',
  demo: false,
  needsMotionAdapter: true,
  blockOutChannels: [32, 64],
  nativeSize: 64,
  sizeMultiple: 8,
  suggested: { numFrames: 8, numInferenceSteps: 20, guidanceScale: 4, prompt: 'a red circle' },
  ...change,
})

export const anAdapter = (change: Partial<ModelEntry> = {}): ModelEntry => {
  const { nativeSize: _, sizeMultiple: __, suggested: ___, ...model } = aModel()
  return {
    ...model,
    id: 'motion',
    name: 'Motion',
    kind: 'motion-adapter',
    className: 'MotionAdapter',
    needsMotionAdapter: false,
    numFrames: 24,
    ...change,
  }
}

export const aLora = (change: Partial<ModelEntry> = {}): ModelEntry => {
  const { blockOutChannels: _, numFrames: __, ...model } = anAdapter()
  return { ...model, id: 'night', name: 'Night', kind: 'lora', className: 'LoRA', ...change }
}

export const aJob = (change: Partial<Job> = {}): Job => ({
  id: 'job',
  pipeline: 'text-to-video',
  status: 'running',
  createdAt: 1,
  title: 'a red circle',
  stage: 'Step 3 of 20',
  step: 3,
  totalSteps: 20,
  progress: 0.2,
  freeu: null,
  loraScales: {},
  notes: [],
  ...change,
})

export const aClip = (change: Partial<PictureResult> = {}): PictureResult => ({
  id: 'clip',
  kind: 'clip',
  createdAt: 1,
  title: 'a red circle',
  width: 64,
  height: 64,
  numFrames: 8,
  fps: 8,
  bytes: 1000,
  recipe: {
    frameloom: 2,
    appVersion: '0.1.0',
    pipeline: 'text-to-video',
    settings: { ...defaultSettings('text-to-video'), model: 'shapes', motionAdapter: 'motion' },
    models: {
      model: [{ id: 'shapes', name: 'Shapes', sha256: { 'unet.safetensors': 'a'.repeat(64) } }],
      motionAdapter: [{ id: 'motion', name: 'Motion', sha256: { 'motion.safetensors': 'b'.repeat(64) } }],
      loras: [],
      customDiffusion: [],
    },
  },
  ...change,
})

export const aClassification = (change: Partial<ClassificationResult> = {}): ClassificationResult => ({
  id: 'classification',
  kind: 'classification',
  createdAt: 1,
  title: 'clip.mp4',
  settings: { model: 'timesformer', sampling: { kind: 'even' }, topK: 5, compute: defaultCompute },
  classification: {
    labels: [{ label: 'circle', probability: 1 }],
    windows: [[0]],
    frameCount: 1,
    notes: [],
    modelName: 'TimeSformer',
  },
  ...change,
})
