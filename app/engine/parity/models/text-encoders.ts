import { clipTextModel } from '#app/models/clip-text.ts'
import { openPlain, type Runner } from './runner.ts'

export const runClipText: Runner = async (place, spec, inputs) => {
  const model = await openPlain(place, spec, clipTextModel)
  const skipped = await model.forward(inputs, { clip_skip: 1 })
  return { ...(await model.forward(inputs)), clip_skip_1: skipped.last_hidden_state! }
}
