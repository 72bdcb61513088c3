import { join } from 'node:path'
import { z } from 'zod'
import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { openUNet2D } from '#app/loaded/denoiser.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { unet2dModel } from '#app/models/unet-2d.ts'
import { unclipTextProjModel } from '#app/models/unclip-text-proj.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { UnclipParts } from '../unclip.ts'
import { openPriorParts, type OpenOptions } from './prior.ts'
import { openScheduler } from './scheduler.ts'

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
