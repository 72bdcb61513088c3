import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import type { Precision } from '#app/contract/compute.ts'
import type { LocatedModel, RunEvent, RunResult } from '#app/contract/engine.ts'
import { ProblemError, type Problem } from '#app/contract/errors.ts'
import { scanModels } from '#app/engine/handlers/scan-models.ts'
import { testSettings } from '#app/library/test-results.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { bundledModelsDir } from '#main/paths.ts'
import type { RunContext } from './run.ts'
import { runTextToVideo } from './text-to-video.ts'
import { runVideoClassification } from './video-classification.ts'

const context: RunContext = {
  signal: new AbortController().signal,
  checkCancelled: () => undefined,
  stage: () => undefined,
  controls: () => undefined,
}

/** The weight files of the bundled models, by what they are of. */
export const weightFiles = {
  unet: 'moving-shapes/unet/diffusion_pytorch_model.safetensors',
  motion: 'moving-shapes-motion/diffusion_pytorch_model.safetensors',
  vae: 'moving-shapes/vae/diffusion_pytorch_model.safetensors',
  textEncoder: 'moving-shapes/text_encoder/model.safetensors',
  classifier: 'moving-shapes-timesformer/model.safetensors',
} as const
export type WeightFile = (typeof weightFiles)[keyof typeof weightFiles]

export type Ended = { readonly result?: RunResult; readonly problem?: Problem; readonly events: readonly RunEvent[] }

/** A copy of the bundled models that a test may damage, and small runs with them. `out`: where clips go. */
export async function openDamagedModels() {
  const root = mkdtempSync(join(tmpdir(), 'frameloom-damaged-'))
  const out = join(root, 'out')
  mkdirSync(out)
  cpSync(bundledModelsDir(), join(root, 'models'), { recursive: true })
  const found = await scanModels({ roots: [{ folder: join(root, 'models'), source: 'bundled' }] }, context)
  const models = Object.fromEntries(found.models.map((model) => [model.id, model]))
  const weightsOf = async (name: WeightFile) => (await readSafetensors(join(root, 'models', name))).weights

  /** Changes a tensor of a file for the time of `work`. */
  async function changed<T>(
    name: WeightFile,
    key: string,
    change: (values: Float32Array) => void,
    work: () => Promise<T>,
  ) {
    const file = join(root, 'models', name)
    const { source } = (await weightsOf(name)).get(key)!
    if (!('file' in source)) throw new Error(`${key} is not in the file`)
    const before = readFileSync(file)
    const after = Uint8Array.from(before)
    const bytes = after.slice(source.offset, source.offset + source.length)
    change(new Float32Array(bytes.buffer))
    after.set(bytes, source.offset)
    writeFileSync(file, after)
    try {
      return await work()
    } finally {
      writeFileSync(file, before)
    }
  }

  /** With one number in the middle of a tensor. */
  const damaged = <T>(name: WeightFile, key: string, number: number, work: () => Promise<T>): Promise<T> =>
    changed(name, key, (values) => void (values[values.length >> 1] = number), work)

  async function make(precision: Precision, change: Partial<typeof testSettings> = {}): Promise<Ended> {
    const sessions = new SessionCache()
    const settings = {
      ...testSettings,
      width: 32,
      height: 32,
      numFrames: 2,
      numInferenceSteps: 2,
      compute: { provider: 'cpu', precision, exact: false },
      ...change,
    } as const
    const referenceOf = ({ id, name }: LocatedModel) => Promise.resolve({ id, name, sha256: {} })
    const [model, motionAdapter] = [[models['moving-shapes']!], [models['moving-shapes-motion']!]]
    const request = {
      pipeline: 'text-to-video',
      settings,
      models: { model, motionAdapter },
      out: join(out, 'clip.webp'),
      appVersion: '0.0.0',
    } as const
    try {
      return await ended(runTextToVideo({ sessions, referenceOf }, request, context))
    } finally {
      await sessions.close()
    }
  }

  async function look(precision: Precision): Promise<Ended> {
    const sessions = new SessionCache()
    const compute = { provider: 'cpu', precision, exact: false } as const
    const request = {
      pipeline: 'video-classification',
      settings: { model: 'moving-shapes-timesformer', sampling: { kind: 'even' }, topK: 3, compute },
      models: { model: [models['moving-shapes-timesformer']!] },
      source: { file: join(root, 'models/clips/red-circle-moving-left.mp4'), name: 'circle.mp4' },
      appVersion: '0.0.0',
    } as const
    const referenceOf = () => Promise.reject(new Error('nothing is saved'))
    try {
      return await ended(runVideoClassification({ sessions, referenceOf }, request, context))
    } finally {
      await sessions.close()
    }
  }

  const forget = (name: string): void => rmSync(join(out, name))
  return { out, weightsOf, changed, damaged, make, look, forget, remove: () => rmSync(root, { recursive: true }) }
}

async function ended(running: AsyncGenerator<RunEvent, RunResult>): Promise<Ended> {
  const events: RunEvent[] = []
  try {
    for (;;) {
      const { done, value } = await running.next()
      if (done) return { result: value, events }
      events.push(value)
    }
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.problem, events }
    throw error
  }
}
