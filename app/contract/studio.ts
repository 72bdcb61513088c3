import { eventIterator, oc } from '@orpc/contract'
import { z } from 'zod'
import { attnProcessorMapSchema } from './attn-processors.ts'
import { commandIdSchema } from './commands.ts'
import { jobSchema } from './jobs.ts'
import { loadReportSchema } from './load-report.ts'
import { mediaRefSchema } from './media-refs.ts'
import { modelEntrySchema } from './models.ts'
import { runRequestSchema } from './pipelines.ts'
import { fields } from './pipelines/fields.ts'
import { parameterListsSchema } from './parameter-lists.ts'
import { tokenCountSchema, tokenQuestionSchema } from './prompts/token-count.ts'
import { processorMapNameSchema, processorMapSchema } from './processor-maps.ts'
import { weightHashesSchema } from './recipe.ts'
import { resultSchema } from './results.ts'
import { keptTuningSchema, modelProfileSchema, tuneReportSchema } from './profile.ts'
import { problemSchema } from './errors.ts'
import { appSettingsSchema, liveControlsSchema } from './settings.ts'
import { doctorReportSchema, engineStatusSchema } from './system.ts'

/** Everything the page keeps up to date by. The first event of a subscription is always a snapshot. */
export const studioEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    appVersion: z.string(),
    jobs: z.array(jobSchema),
    results: z.array(resultSchema),
    models: z.array(modelEntrySchema),
    /** False until the folders have been searched once. */
    modelsKnown: z.boolean(),
    engine: engineStatusSchema,
    settings: appSettingsSchema,
    processorMaps: z.array(processorMapSchema),
    /** What the user should know once: a library that was repaired, a setting that fell back to its default. */
    notices: z.array(z.string()).optional(),
  }),
  z.object({ type: z.literal('job'), job: jobSchema }),
  z.object({ type: z.literal('job-removed'), id: z.string() }),
  z.object({ type: z.literal('engine'), engine: engineStatusSchema }),
  z.object({ type: z.literal('result-added'), result: resultSchema }),
  z.object({ type: z.literal('result-removed'), id: z.string() }),
  z.object({ type: z.literal('models'), models: z.array(modelEntrySchema) }),
  z.object({ type: z.literal('settings'), settings: appSettingsSchema }),
  z.object({ type: z.literal('processor-maps'), processorMaps: z.array(processorMapSchema) }),
  /** What the user should know at once. */
  z.object({ type: z.literal('notice'), message: z.string() }),
  /** Chosen in the host's own menu; the page performs it. */
  z.object({ type: z.literal('command'), id: commandIdSchema }),
])
export type StudioEvent = z.infer<typeof studioEventSchema>

const stageSchema = z.object({ type: z.literal('stage'), stage: z.string(), progress: z.number() })
const measureEventSchema = z.discriminatedUnion('type', [
  stageSchema,
  z.object({ type: z.literal('done'), result: modelProfileSchema }),
])
export type MeasureEvent = z.infer<typeof measureEventSchema>
const tuneEventSchema = z.discriminatedUnion('type', [
  stageSchema,
  z.object({ type: z.literal('done'), result: tuneReportSchema }),
])
export type TuneEvent = z.infer<typeof tuneEventSchema>

/**
 * The contract between the page and its host, the same over Electron's message port and the serve host's WebSocket.
 * Pixels do not travel here but over the media routes (see media-routes.ts). Failures carry a Problem as their data.
 */
const base = oc.errors({ PROBLEM: { data: problemSchema } })
const jobId = z.object({ jobId: z.string() })
const motionChoiceSchema = z.object({ model: fields.model, motionAdapter: fields.motionAdapter })
export type MotionChoice = z.infer<typeof motionChoiceSchema>

export const studioContract = {
  events: base.output(eventIterator(studioEventSchema)),
  /**
   * Queues a run. `source`, for pipelines that take a clip: one of the library, or an upload (a whole file, or frames
   * that the page decoded).
   */
  run: base
    .input(
      z.intersection(
        runRequestSchema,
        z.object({
          source: z.union([z.object({ clipId: z.string() }), z.object({ uploadId: z.string() })]).optional(),
        }),
      ),
    )
    .output(jobId),
  /** FreeU and the LoRAs' scales of a running job, in force from its next step on. */
  setControls: base.input(liveControlsSchema.extend({ jobId: z.string() })),
  /**
   * Time and memory of the denoiser's blocks and layers under these settings. Whoever stops listening stops the work.
   */
  profile: base.input(runRequestSchema).output(eventIterator(measureEventSchema)),
  /** Proposals of processors and chunking for the model, sizes and guidance of these settings; in the same way. */
  autotune: base
    .input(z.object({ run: runRequestSchema, memoryBytes: z.number().positive().nullable() }))
    .output(eventIterator(tuneEventSchema)),
  /** The proposal that was chosen for the model and sizes of these settings on this machine. */
  keptTuning: base.input(runRequestSchema).output(keptTuningSchema.nullable()),
  keepTuning: base.input(z.object({ run: runRequestSchema, tuning: keptTuningSchema.omit({ keptAt: true }) })),
  /** Answers when the job has ended. */
  cancel: base.input(jobId),
  /** A cancelled job waits again in the place that it had, and is made anew from its first step. */
  undoCancel: base.input(jobId),
  /**
   * Puts a job that ended without a result at the end of the queue again, as it was asked for, or in float32; the old
   * one leaves the list.
   */
  runAgain: base.input(jobId.extend({ precision: z.literal('float32').optional() })).output(jobId),
  /** Takes a finished job off the list. */
  dismiss: base.input(jobId),
  /** Into the bin, where it stays for 30 days. */
  deleteResult: base.input(z.object({ id: z.string() })),
  /** Out of the bin again, while this host runs. */
  restoreResult: base.input(z.object({ id: z.string() })),
  /**
   * Keeps a clip, still or embedding of the library as something that runs can read, whatever becomes of the result.
   */
  keepAsInput: base.input(z.object({ id: z.string() })).output(mediaRefSchema),
  /** Those of these files, by their content, that are not here any more. The others stay for another while. */
  missingInputs: base.input(z.array(mediaRefSchema).max(1000)).output(z.array(mediaRefSchema)),
  /** How alike embeddings of the library are: the cosine of each with each; null for two of different widths. */
  compareEmbeddings: base
    .input(z.object({ ids: z.array(z.string()).min(1).max(200) }))
    .output(z.array(z.array(z.number().nullable()))),
  /** How long texts are for a model, and where the parts begin in which they are read. */
  countTokens: base.input(tokenQuestionSchema).output(z.array(tokenCountSchema)),
  refreshModels: base,
  saveSettings: base.input(appSettingsSchema),
  restartEngine: base,
  /** The attention layers of a model by path, each with its default processor. */
  attnProcessors: base.input(motionChoiceSchema).output(attnProcessorMapSchema),
  /** What a model's files hold. */
  inspectModel: base.input(z.object({ id: z.string() })).output(loadReportSchema),
  /** sha256 of its weight files by their names; reading them for the first time takes seconds for each GB. */
  weightHashes: base.input(z.object({ id: z.string() })).output(weightHashesSchema),
  freezeUnet2d: base.input(motionChoiceSchema).output(parameterListsSchema),
  /** Writes motion modules as a folder of that name among the user's models. */
  saveMotionModules: base
    .input(motionChoiceSchema.extend({ name: z.string().trim().min(1).max(80) }))
    .output(z.object({ location: z.string() })),
  saveProcessorMap: base.input(processorMapSchema.omit({ savedAt: true }).extend({ replace: z.boolean() })),
  renameProcessorMap: base.input(z.object({ name: z.string(), to: processorMapNameSchema })),
  deleteProcessorMap: base.input(z.object({ name: z.string() })),
  doctor: base.output(doctorReportSchema),
}
