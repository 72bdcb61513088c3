import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import { openControlNetModel } from '#app/checkpoints/open-model.ts'
import type { Compute } from '#app/contract/compute.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { clipVisionModelWithProjection } from '#app/models/clip-vision.ts'
import { controlNetModel } from '#app/models/controlnet.ts'
import { sparseControlNetModel } from '#app/models/sparse-controlnet.ts'
import type { OnQuantizing } from '#app/runtime/quantize/quantize-cache.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import type { ControlNet, ImageEncoder, Residuals, SparseControlNet } from '../conditioning.ts'

export type Opening = {
  readonly sessions: SessionCache
  readonly compute: Compute
  readonly onQuantizing?: OnQuantizing | undefined
}

/** A ControlNetModel folder, or a ControlNet in one file, as a function. Throws bad-model naming the file or key. */
export async function openControlNet(path: string, opening: Opening): Promise<ControlNet> {
  const net = opened(controlNetModel, await openControlNetModel(path), opening)
  return async ({ sample, timestep, encoderHiddenStates, added, cond, scale, guessMode }) => {
    const inputs = {
      sample,
      timestep,
      encoder_hidden_states: encoderHiddenStates,
      controlnet_cond: cond,
      conditioning_scale: float32([1], [scale]),
      ...(added && {
        'added_cond_kwargs.text_embeds': added.textEmbeds,
        'added_cond_kwargs.time_ids': added.timeIds,
      }),
    }
    // A net that answers with one number for each channel always guesses (global_pool_conditions).
    const guesses = guessMode || net.config.global_pool_conditions
    return residualsOf(await net.run('forward', inputs, { guess_mode: guesses }))
  }
}

/** A SparseControlNetModel folder as a function. Errors as of `openControlNet`. */
export async function openSparseControlNet(folder: string, opening: Opening): Promise<SparseControlNet> {
  const net = opened(sparseControlNetModel, await openCheckpoint(folder), opening)
  return {
    takesLatents: net.config.use_simplified_condition_embedding,
    async run({ sample, timestep, encoderHiddenStates, cond, mask, scale, guessMode }) {
      const inputs = {
        sample,
        timestep,
        encoder_hidden_states: encoderHiddenStates,
        controlnet_cond: cond,
        conditioning_scale: float32([1], [scale]),
        ...(net.config.concat_conditioning_mask && { conditioning_mask: mask }),
      }
      return residualsOf(await net.run('forward', inputs, { guess_mode: guessMode }))
    },
  }
}

function residualsOf(outputs: Readonly<Record<string, Tensor>>): Residuals {
  const { mid_block_res_sample: mid, ...down } = outputs
  return {
    down: Object.keys(down).map((_, i) => toFloat32(down[`down_block_res_samples.${i}`]!)),
    mid: toFloat32(mid!),
  }
}

/**
 * The image encoder of an IP-Adapter as a function: its projected embedding, whose opposite is zeros, or its last
 * hidden states but one, whose opposite are those of a grey picture. Source: pipeline_animatediff.py@58eb52c
 * encode_image. Errors as of `openControlNet`.
 */
export async function openImageEncoder(
  folder: string,
  takes: 'image_embeds' | 'hidden_states',
  opening: Opening,
): Promise<{ readonly encode: ImageEncoder; readonly imageSize: number }> {
  const encoder = opened(clipVisionModelWithProjection, await openCheckpoint(folder), opening)
  const { image_size: imageSize, num_hidden_layers: layers } = encoder.config
  const hidden = async (pixels: Tensor<'float32'>): Promise<Tensor<'float32'>> => {
    const outputs: Readonly<Record<string, Tensor>> = await encoder.run(
      'forward',
      { pixel_values: pixels },
      { output_hidden_states: true },
    )
    return toFloat32(outputs[`hidden_states.${layers - 1}`]!)
  }
  return {
    imageSize,
    async encode(pixels) {
      if (takes === 'hidden_states') {
        const none = float32(pixels.shape, new Float32Array(pixels.data.length))
        return { embeds: await hidden(pixels), negative: await hidden(none) }
      }
      const { image_embeds } = await encoder.run('forward', { pixel_values: pixels })
      const embeds = toFloat32(image_embeds)
      return { embeds, negative: float32(embeds.shape, new Float32Array(embeds.data.length)) }
    },
  }
}

function opened<M extends typeof controlNetModel | typeof sparseControlNetModel | typeof clipVisionModelWithProjection>(
  architecture: M,
  { config, weights }: Checkpoint,
  { sessions, compute, onQuantizing }: Opening,
): LoadedModel<M> {
  const model = new LoadedModel(architecture, config, weights, sessions)
  model.computeWith(compute, onQuantizing)
  return model
}
