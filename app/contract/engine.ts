import type { AttnProcessorMap } from './attn-processors.ts'
import type { Problem } from './errors.ts'
import type { LoadReport } from './load-report.ts'
import type { ModelEntry } from './models.ts'
import type { Recipe } from './recipe.ts'
import type { Classification, ExportFormat } from './results.ts'
import type { ClassifySettings, FreeU, GenerateSettings } from './settings.ts'
import type { DoctorReport, EngineStatus } from './system.ts'

/** Raw pixels as they cross to the host: RGB24, frame after frame. */
export type Pixels = { width: number; height: number; count: number; data: Uint8Array }

/** A clip to be read by the engine: a file, or frames that were decoded elsewhere. */
export type ClipSource =
  { file: string; name: string } | { name: string; pixels: Pixels; indices?: number[]; frameCount?: number }

/** A model as the host hands it to the engine. Only the host and the engine know folders. */
export type LocatedModel = ModelEntry & {
  /** Or the file, where the model is a single one. */
  folder: string
  /** Where a single file, which carries no tokenizer, finds one. */
  tokenizerFolder?: string
}

/**
 * What the engine does, each as a call that yields events and ends with a result. The link is Node's own process channel with
 * 'advanced' serialisation (typed arrays travel as they are). Both ends are ours and start together, so types are enough.
 */
export type EngineCalls = {
  /** Looks for checkpoints below the given folders. Unusable ones come back with their problem. */
  scanModels: {
    request: { roots: { folder: string; source: 'bundled' | 'folder' }[] }
    event: never
    result: { models: LocatedModel[] }
  }
  /** Makes a clip and writes it to `out` as lossless animated WebP with its recipe inside. */
  textToVideo: {
    request: {
      settings: GenerateSettings
      model: LocatedModel
      motionAdapter: LocatedModel | null
      /** In the order of the settings' own. */
      loras: LocatedModel[]
      out: string
      appVersion: string
    }
    event: TextToVideoEvent
    result: { recipe: Recipe; bytes: number; notes: string[] }
  }
  classify: {
    request: { settings: ClassifySettings; model: LocatedModel; source: ClipSource }
    event: { type: 'stage'; stage: string; progress: number }
    /** `pixels`: the frames that were used, small enough to show. */
    result: { classification: Classification; pixels: Pixels }
  }
  /** Writes a clip file in another format; `png` writes a folder of frames. The recipe inside is kept. */
  exportClip: {
    request: { file: string; format: ExportFormat; out: string; fps?: number }
    event: { type: 'stage'; stage: string; progress: number }
    result: { bytes: number }
  }
  /** The attention layers of a model's UNet by path, each with the processor that it has by default. Reads no weights. */
  attnProcessors: {
    request: { model: LocatedModel; motionAdapter: LocatedModel | null }
    event: never
    result: { processors: AttnProcessorMap }
  }
  /** Tells what a file or folder of weights holds, without running it. */
  inspect: {
    request: { path: string }
    event: { type: 'stage'; stage: string; progress: number }
    result: LoadReport
  }
  doctor: { request: { full: boolean }; event: never; result: DoctorReport }
  configure: { request: { memoryBudgetBytes: number; threads?: number }; event: never; result: null }
}

export type TextToVideoEvent =
  | { type: 'stage'; stage: string; progress: number }
  | { type: 'note'; note: string }
  | { type: 'step'; step: number; totalSteps: number; progress: number; secondsLeft: number; freeu: FreeU | null }
  /** All frames as they look after `step` steps: from the latents, small. */
  | { type: 'preview'; step: number; pixels: Pixels }
  | { type: 'frame'; index: number; count: number; pixels: Pixels }

export type EngineMethod = keyof EngineCalls

/** Host to engine. */
export type ToEngine =
  | { [M in EngineMethod]: { type: 'call'; id: number; method: M; request: EngineCalls[M]['request'] } }[EngineMethod]
  | { type: 'cancel'; id: number }
  | { type: 'controls'; id: number; freeu: FreeU | null }
  | { type: 'ping'; id: number }

/** Engine to host. */
export type FromEngine =
  | { type: 'ready'; pid: number }
  | { type: 'status'; status: Omit<EngineStatus, 'state' | 'recentCrashes' | 'pid'> }
  | { type: 'event'; id: number; event: EngineCalls[EngineMethod]['event'] }
  | { type: 'result'; id: number; result: EngineCalls[EngineMethod]['result'] }
  | { type: 'failed'; id: number; problem: Problem }
  /** Cancel was heard; the work stops with its current model call. */
  | { type: 'cancelling'; id: number }
  | { type: 'pong'; id: number }
