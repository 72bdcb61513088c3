import { clipTextModel } from '#app/models/clip-text.ts'
import { apply } from './calls.ts'
import { openPlain, type Runner } from './runner.ts'

export const runClipText: Runner = async (place, spec, inputs) => {
  const model = await openPlain(place, spec, clipTextModel)
  for (const step of spec.setup) await apply(place.start, model, step)
  const outputs = await model.forward(inputs)
  if (model.config.num_hidden_layers === 1) return outputs
  return { ...outputs, clip_skip_1: (await model.forward(inputs, { clip_skip: 1 })).last_hidden_state! }
}
