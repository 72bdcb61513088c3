import type { AttnProcessorMap } from './attn-processors.ts'
import type { Problem } from './errors.ts'
import type { LoadReport } from './load-report.ts'
import type { MediaRef } from './media-refs.ts'
import type { ModelEntry } from './models.ts'
import type { ParameterLists } from './parameter-lists.ts'
import type { AutotuneSettings, ModelProfile, ProfileSettings, TuneReport } from './profile.ts'
import type { RunRequest } from './pipelines.ts'
import type { ByRole } from './pipelines/pipeline.ts'
import type { TokenCount, TokenQuestion } from './prompts/token-count.ts'
import type { ModelReference, PictureRecipe, RecipeOf } from './recipe.ts'
import type { Classification, ExportFormat } from './results.ts'
import type { FreeU, LiveControls, LoraScales } from './settings.ts'
import type { DoctorReport, EngineStatus } from './system.ts'

/** Raw pixels as they cross to the host: RGB24, frame after frame. */
export type Pixels = { width: number; height: number; count: number; data: Uint8Array }

/**
 * A clip to be read by the engine: a file, or frames that were decoded elsewhere as raw pixels in a file, one after the
 * other. `indices` are theirs in the clip (0, 1, 2 ... without), `frameCount` is the clip's.
 */
export type ClipSource =
  | { file: string; name: string }
  | { name: string; pixels: Omit<Pixels, 'data'> & { file: string }; indices?: number[]; frameCount?: number }

/** A model as the host hands it to the engine. Only the host and the engine know folders. */
export type LocatedModel = ModelEntry & {
  /** Or the file, where the model is a single one. */
  folder: string
  /** Where a single file, which carries no tokenizer, finds one. */
  tokenizerFolder?: string
}

/** A picture or clip as the host hands it to the engine. `file` has the name of its content, `name` is the user's. */
export type LocatedMedia = MediaRef & { file: string }

/**
 * What the engine does, each as a call that yields events and ends with a result. The link is Node's own process
 * channel with 'advanced' serialisation (typed arrays travel as they are). Both ends are ours and start together, so
 * types are enough.
 */
export type EngineCalls = {
  /** Looks for checkpoints below the given folders. Unusable ones come back with their problem. */
  scanModels: {
    request: { roots: { folder: string; source: 'bundled' | 'folder' }[] }
    event: never
    result: { models: LocatedModel[] }
  }
  /**
   * Runs a pipeline. What makes a picture or an embedding writes it to `out`, with its recipe inside; what takes a clip
   * reads `source`.
   */
  run: {
    request: RunRequest & {
      models: ByRole<LocatedModel>
      /** What the pipeline's record names as media, in the order of the settings. */
      media?: ByRole<LocatedMedia>
      source?: ClipSource
      out?: string
      appVersion: string
    }
    event: RunEvent
    result: RunResult
  }
  /**
   * How alike embeddings are: the cosine of each with each, in the order of the files; null for two of different
   * widths. `name`: as people see it.
   */
  compareEmbeddings: {
    request: { files: { file: string; name: string }[] }
    event: never
    result: { cosines: (number | null)[][] }
  }
  /** How long texts are for a model. Answered at once, also in the middle of a run. */
  countTokens: {
    request: Omit<TokenQuestion, 'model' | 'embeddings'> & { model: LocatedModel; embeddings: LocatedModel[] }
    event: never
    result: { counts: TokenCount[] }
  }
  /** Writes a clip file in another format; `png` writes a folder of frames. The recipe inside is kept. */
  exportClip: {
    request: { file: string; format: ExportFormat; out: string; fps?: number }
    event: { type: 'stage'; stage: string; progress: number }
    result: { bytes: number }
  }
  /**
   * The attention layers of a model's UNet by path, each with the processor that it has by default. Reads no weights.
   */
  attnProcessors: {
    request: { model: LocatedModel; motionAdapter: LocatedModel | null }
    event: never
    result: { processors: AttnProcessorMap }
  }
  /** The weights of a motion UNet that stay and those that may be trained. Reads no weights. */
  freezeUnet2d: {
    request: { model: LocatedModel; motionAdapter: LocatedModel | null }
    event: never
    result: ParameterLists
  }
  /** Writes the motion modules of a text-to-video model or of a motion adapter as a MotionAdapter folder. */
  saveMotionModules: {
    request: { model: LocatedModel; motionAdapter: LocatedModel | null; out: string }
    event: never
    result: null
  }
  /**
   * Time and memory of each block and layer of a model. Paths are those of a pipeline or of one model, folder or file.
   */
  profile: {
    request: { model: string; motionAdapter: string | null; settings: ProfileSettings }
    event: { type: 'stage'; stage: string; progress: number }
    result: ModelProfile
  }
  /** Ways to run a model that differ in time and memory, measured on this machine. */
  autotune: {
    request: { model: string; motionAdapter: string | null; settings: AutotuneSettings }
    event: { type: 'stage'; stage: string; progress: number }
    result: TuneReport
  }
  /** Tells what a file or folder of weights holds, without running it. */
  inspect: {
    request: { path: string }
    event: { type: 'stage'; stage: string; progress: number }
    result: LoadReport
  }
  /**
   * sha256 of a model's weight files, as a recipe has them. Each file is read once and then known by its path, size and
   * time.
   */
  weightHashes: { request: { model: LocatedModel }; event: never; result: { sha256: ModelReference['sha256'] } }
  doctor: { request: { full: boolean }; event: never; result: DoctorReport }
  /** `threads` null: as many as were measured to be of use. */
  configure: { request: { memoryBudgetBytes: number; threads: number | null }; event: never; result: null }
}

export type RunEvent =
  | { type: 'stage'; stage: string; progress: number }
  | { type: 'note'; note: string }
  | {
      type: 'step'
      step: number
      totalSteps: number
      progress: number
      secondsLeft: number
      freeu: FreeU | null
      loraScales: LoraScales
    }
  /** All frames as they look after `step` steps: from the latents, small. */
  | { type: 'preview'; step: number; pixels: Pixels }
  | { type: 'frame'; index: number; count: number; pixels: Pixels }

/** `pixels`: the frames that a classifier used, small enough to show. */
export type RunResult =
  | { kind: 'picture'; recipe: PictureRecipe; bytes: number; notes: string[] }
  | { kind: 'embedding'; recipe: RecipeOf<'embedding'>; bytes: number; notes: string[] }
  | { kind: 'labels'; classification: Classification; pixels: Pixels }

export type EngineMethod = keyof EngineCalls
/** Those that a thread of their own answers, beside a run. */
export type QuickMethod = 'countTokens'

/** Host to engine. */
export type ToEngine =
  | { [M in EngineMethod]: { type: 'call'; id: number; method: M; request: EngineCalls[M]['request'] } }[EngineMethod]
  | { type: 'cancel'; id: number }
  /** Takes the place of what was sent before. */
  | { type: 'controls'; id: number; controls: LiveControls }
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
