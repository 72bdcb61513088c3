import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import { readJson } from '#app/checkpoints/json.ts'
import type { Compute } from '#app/contract/compute.ts'
import { parsePreprocessConfig, pixelValues, preparePicture } from '#app/media/preprocess.ts'
import { labelCount, timesformerForVideoClassification, type TimesformerConfig } from '#app/models/timesformer.ts'
import type { ClassifyParts } from '../video-classification.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import type { OnQuantizing } from '#app/runtime/quantize/quantize-cache.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

export type OpenClassifier = { readonly parts: ClassifyParts; readonly checkpoint: Checkpoint }

/**
 * Opens a TimesformerForVideoClassification folder with its preprocessor_config.json. Throws bad-model naming file or
 * key.
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
  const preprocessorFile = join(folder, 'preprocessor_config.json')
  const preprocessor = parsePreprocessConfig(
    existsSync(preprocessorFile) ? await readJson(preprocessorFile) : defaultPreprocessor(model.config),
    preprocessorFile,
  )
  return {
    checkpoint,
    parts: {
      modelName,
      numFrames: model.config.num_frames,
      labels: labelsOf(model.config),
      multiLabel: model.config.problem_type === 'multi_label_classification',
      prepare: (frame) => preparePicture(frame, preprocessor),
      pixelValues: (pictures) => pixelValues(pictures, preprocessor),
      forward: async (values) => toFloat32((await model.run('forward', { pixel_values: values })).logits),
    },
  }
}

/** The published TimeSformers' own: their repositories carry it, checkpoints saved by hand may not. */
function defaultPreprocessor(config: TimesformerConfig): unknown {
  const [height, width] = [config.image_size].flat() as [number, number?]
  return {
    size: { shortest_edge: Math.min(height, width ?? height) },
    crop_size: { height, width: width ?? height },
    image_mean: [0.45, 0.45, 0.45],
    image_std: [0.225, 0.225, 0.225],
  }
}

const labelsOf = (config: TimesformerConfig): string[] =>
  Array.from({ length: labelCount(config) }, (_, i) => config.id2label?.[String(i)] ?? `LABEL_${i}`)
