import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import { encodePrompts, type DiffusionParts } from './diffusion.ts'
import { joinRows } from './guidance.ts'
import { mapContext, type Context } from './prompts.ts'

type Floats = Tensor<'float32'>

/** A prompt that holds at one frame; between two the clip goes over from one to the other. */
export type FramePrompt = { readonly frame: number; readonly prompt: string }

/**
 * Context of a clip whose prompts change, (F, L, D), or (2F, L, D) under guidance: the rows of the negative prompts,
 * then those of the prompts. Between two frames with a prompt the rows go from one to the other in equal parts; the
 * last prompt stays to the end. Source: diffusers/src/diffusers/pipelines/free_noise_utils.py@58eb52c.
 */
export async function encodeTravel(
  parts: DiffusionParts,
  { prompts, negativePrompts }: { prompts: readonly FramePrompt[]; negativePrompts: readonly FramePrompt[] },
  numFrames: number,
  how: Parameters<typeof encodePrompts>[2],
): Promise<{ context: Context; notes: string[] }> {
  // In one call, since texts of one clip have to be encoded to one length.
  const count = how.guided ? Math.max(prompts.length, negativePrompts.length) : prompts.length
  const texts = Array.from({ length: count }, (_, i) => ({
    prompt: (prompts[i] ?? prompts.at(-1)!).prompt,
    negativePrompt: (negativePrompts[i] ?? negativePrompts.at(-1)!).prompt,
  }))
  const { context, notes } = await encodePrompts(parts, texts, how)
  const along = (states: Floats, at: readonly FramePrompt[], from: number): Floats =>
    interpolated(
      at.map(({ frame }, i) => ({ frame, row: rows(states, from + i, from + i + 1) })),
      numFrames,
    )
  const guided = (states: Floats): Floats =>
    joinRows([along(states, negativePrompts, 0), along(states, prompts, count)])
  const ofClip = how.guided ? guided : (states: Floats): Floats => along(states, prompts, 0)
  return { context: mapContext(context, ofClip), notes: [...new Set(notes)] }
}

/** One row for each frame; `keys` begin with frame 0, in rising order. */
function interpolated(keys: readonly { frame: number; row: Floats }[], numFrames: number): Floats {
  const frames = Array.from({ length: numFrames }, (_, frame) => {
    const next = keys.findIndex((key) => key.frame > frame)
    const before = keys.at(next === -1 ? -1 : next - 1)!
    const after = keys[next] ?? before
    const part = after === before ? 0 : (frame - before.frame) / (after.frame - before.frame)
    return float32(
      before.row.shape,
      before.row.data.map((value, i) => (1 - part) * value + part * after.row.data[i]!),
    )
  })
  return joinRows(frames)
}
