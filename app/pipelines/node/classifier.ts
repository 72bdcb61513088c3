import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import type { Compute } from '#app/contract/compute.ts'
import { pixelValues, preparePicture } from '#app/media/preprocess.ts'
import { labelCount, timesformerForVideoClassification, type TimesformerConfig } from '#app/models/timesformer.ts'
import type { ClassifyParts } from '../video-classification.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { openPreprocessor } from './preprocessor.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import type { OnQuantizing } from '#app/runtime/quantize/quantize-cache.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

export type OpenClassifier = { readonly parts: ClassifyParts; readonly checkpoint: Checkpoint }

/**
 * Opens a TimesformerForVideoClassification folder with its preprocessing. Throws bad-model naming file or key.
 */
export async function openClassifier(
  sessions: SessionCache,
  folder: string,
  modelName: string,
  { compute = {}, onQuantizing }: { compute?: Partial<Compute>; onQuantizing?: OnQuantizing } = {},
): Promise<OpenClassifier> {
  const checkpoint = await openCheckpoint(folder)
  const model = new LoadedModel(timesformerForVideoClassification, checkpoint.config, checkpoint.weights, sessions)
  model.computeWith(compute, onQuantizing)
  const preprocessor = await openPreprocessor(folder, model.config)
  return {
    checkpoint,
    parts: {
      modelName,
      numFrames: model.config.num_frames,
      labels: labelsOf(model.config),
      multiLabel: model.config.problem_type === 'multi_label_classification',
      notes: preprocessor.notes,
      prepare: (frame) => preparePicture(frame, preprocessor.config),
      pixelValues: (pictures) => pixelValues(pictures, preprocessor.config),
      forward: async (values) => toFloat32((await model.run('forward', { pixel_values: values })).logits),
    },
  }
}

const labelsOf = (config: TimesformerConfig): string[] =>
  Array.from({ length: labelCount(config) }, (_, i) => config.id2label?.[String(i)] ?? `LABEL_${i}`)
