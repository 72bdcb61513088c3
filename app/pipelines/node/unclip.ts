import { join } from 'node:path'
import { z } from 'zod'
import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { pipelines } from '#app/contract/pipelines.ts'
import { pictureRecipeSchema } from '#app/contract/recipe.ts'
import { openUNet2D } from '#app/loaded/denoiser.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { unet2dModel } from '#app/models/unet-2d.ts'
import { unclipTextProjModel } from '#app/models/unclip-text-proj.ts'
import { reportQuantizing } from '#app/runtime/quantize/report-quantizing.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { createGenerator } from '#app/tensor/generator.ts'
import { unclip, type UnclipParts } from '../unclip.ts'
import { emptyNote, recipeOf, savePicture } from './finish-run.ts'
import { pixelsOf } from './preview.ts'
import { openPriorParts, type OpenOptions } from './prior.ts'
import type { Runner } from './run.ts'
import { openScheduler } from './scheduler.ts'
import { stepEvents } from './step-events.ts'

/**
 * Opens a folder of UnCLIPPipeline (karlo): prior, text_encoder, tokenizer, text_proj, decoder, super_res_first,
 * super_res_last, and a scheduler for each of the three stages. Throws bad-model naming the file or key.
 */
export async function openUnclip(
  sessions: SessionCache,
  folder: string,
  options: OpenOptions = {},
): Promise<UnclipParts> {
  const open = (name: string) => openCheckpoint(join(folder, name))
  const prior = await openPriorParts(sessions, folder, options, 'prior_scheduler')
  const proj = await open('text_proj')
  const textProj = new LoadedModel(unclipTextProjModel, proj.config, proj.weights, sessions)
  const ofDecoder = await open('decoder')
  const decoder = openUNet2D(sessions, ofDecoder)
  const ofFirst = await open('super_res_first')
  const first = new LoadedModel(unet2dModel, ofFirst.config, ofFirst.weights, sessions)
  const ofLast = await open('super_res_last')
  const last = new LoadedModel(unet2dModel, ofLast.config, ofLast.weights, sessions)
  for (const model of [textProj, decoder, first, last])
    model.computeWith({ ...sessions.compute, ...options.compute }, options.onQuantizing)
  return {
    prior,
    async projectText({ imageEmbeds, promptEmbeds, states, guided }) {
      const inputs = { image_embeddings: imageEmbeds, prompt_embeds: promptEmbeds, text_encoder_hidden_states: states }
      const made = await textProj.run('forward', inputs, { do_classifier_free_guidance: guided })
      return {
        states: toFloat32(made.text_encoder_hidden_states),
        timeEmbeds: toFloat32(made.additive_clip_time_embeddings),
      }
    },
    extraTokens: textProj.config.clip_extra_context_tokens,
    decoder: {
      async predict({ sample, timestep, states, timeEmbeds, mask }) {
        const inputs = {
          sample,
          timestep,
          encoder_hidden_states: states,
          class_labels: timeEmbeds,
          attention_mask: mask,
        }
        return toFloat32((await decoder.run('forward', inputs)).sample)
      },
      channels: decoder.config.in_channels,
      size: sideOf(ofDecoder),
      className: decoder.architecture.className,
      createScheduler: await openScheduler(join(folder, 'decoder_scheduler')),
    },
    superRes: {
      predict: async (inputs, isLast) => toFloat32((await (isLast ? last : first).run('forward', inputs)).sample),
      channels: Math.floor(first.config.in_channels / 2),
      size: sideOf(ofFirst),
      className: unet2dModel.className,
      createScheduler: await openScheduler(join(folder, 'super_res_scheduler')),
    },
  }
}

const sizedSchema = z.looseObject({ sample_size: z.int().min(1) })

/** Width and height of the pictures of a stage. */
function sideOf({ folder, config }: Checkpoint): number {
  const sized = sizedSchema.safeParse(config)
  if (sized.success) return sized.data.sample_size
  const file = join(folder, 'config.json')
  throw new ProblemError(
    'bad-model',
    `${file}: sample_size must be one whole number: the pictures of unCLIP have it.`,
    {
      file,
      field: 'sample_size',
    },
  )
}

/** Parts of the progress bar: reading, and all steps; what is left is writing. */
const readingShare = 0.06
const stepsShare = 0.9

/** Makes a still by the three stages of a folder. Its pictures are pixels, so each step shows what it sees. */
export const runUnclip: Runner<'unclip'> = async function* (tools, request, context) {
  const { settings, models, out } = request
  const [model] = models.model ?? []
  if (!model || out === undefined) throw new Error('a still needs a model and a file to write to')
  yield { type: 'stage', stage: 'Reading the model', progress: 0 }
  const { compute } = settings
  const parts = await openUnclip(tools.sessions, model.folder, {
    compute,
    onQuantizing: reportQuantizing(context, readingShare),
  })
  context.checkCancelled()
  yield { type: 'stage', stage: 'Reading the prompt', progress: readingShare / 2 }
  const generator = createGenerator(settings.seed)
  const nextStep = stepEvents(pipelines.unclip.stepsOf(settings), readingShare, stepsShare)
  const notes: string[] = []
  const frames: RgbFrame[] = []
  const running = unclip(parts, {
    prompts: [settings.prompt],
    noise: (shape) => generator.normal(shape).data,
    compute,
    prior: { numInferenceSteps: settings.priorSteps, guidanceScale: settings.priorGuidanceScale },
    decoder: { numInferenceSteps: settings.numInferenceSteps, guidanceScale: settings.guidanceScale },
    superRes: { numInferenceSteps: settings.superResSteps },
  })
  for await (const event of running) {
    context.checkCancelled()
    switch (event.type) {
      case 'note':
        notes.push(event.note)
        yield event
        break
      case 'prior-step':
        yield nextStep()
        break
      case 'decoder-step':
      case 'super-res-step': {
        const stepped = nextStep()
        yield stepped
        yield { type: 'preview', step: stepped.step, pixels: pixelsOf([event.predOriginal]) }
        break
      }
      case 'frame': {
        const pixels = pixelsOf([event.image])
        frames.push(pixels)
        yield { type: 'frame', index: event.index, count: 1, pixels }
      }
    }
  }
  const note = emptyNote(frames)
  if (note !== undefined) {
    notes.push(note)
    yield { type: 'note', note }
  }
  yield { type: 'stage', stage: 'Saving the still', progress: readingShare + stepsShare }
  const recipe = await recipeOf(pictureRecipeSchema, tools, request, context, settings)
  return await savePicture({ out, frames, fps: 1 }, recipe, notes, context)
}
