import { classificationLoss } from '#app/models/classification-loss.ts'
import { timesformerForVideoClassification } from '#app/models/timesformer.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { argsOf, openPlain, type Runner } from './runner.ts'

export const runTimesformerClassifier: Runner = async (place, spec, { labels, ...inputs }) => {
  const model = await openPlain(place, spec, timesformerForVideoClassification)
  const outputs = await model.forward(inputs, argsOf(spec))
  if (!labels) return outputs
  return { ...outputs, loss: float32([1], [classificationLoss(model.config, toFloat32(outputs.logits!), labels)]) }
}
