import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '#app/checkpoints/json.ts'
import { parsePreprocessConfig, type PreprocessConfig } from '#app/media/preprocess.ts'
import type { TimesformerConfig } from '#app/models/timesformer.ts'

export type Preprocessor = {
  readonly config: PreprocessConfig
  /** What a user should know of where the settings come from. */
  readonly notes: readonly string[]
}

/**
 * Where a folder has its preprocessing, best first: as a whole processor's part, or in a file of its own; for videos,
 * else for pictures. Source: AutoVideoProcessor and AutoImageProcessor, transformers 5.0,
 * models/auto/video_processing_auto.py and image_processing_auto.py.
 */
const places: readonly { file: string; part?: string }[] = [
  { file: 'processor_config.json', part: 'video_processor' },
  { file: 'video_preprocessor_config.json' },
  { file: 'processor_config.json', part: 'image_processor' },
  { file: 'preprocessor_config.json' },
]

/** The preprocessing of a classifier's folder. Throws bad-model naming file and key where it cannot be honoured. */
export async function openPreprocessor(folder: string, model: TimesformerConfig): Promise<Preprocessor> {
  for (const { file, part } of places) {
    const path = join(folder, file)
    if (!existsSync(path)) continue
    const json = await readJson(path)
    const settings = part === undefined ? json : z.looseObject({}).safeParse(json).data?.[part]
    if (settings === undefined || settings === null) continue
    const config = parsePreprocessConfig(settings, part === undefined ? path : `${path} (${part})`)
    return { config, notes: config.do_sample_frames ? [`${file} ${ownFrames}`] : [] }
  }
  const config = parsePreprocessConfig(published(model))
  return { config, notes: [`The model has no preprocessor_config.json, ${inPlaceOfIt(config)}`] }
}

const ownFrames =
  'asks to choose the frames itself (do_sample_frames), which is not done here: those that were asked for are used.'

const inPlaceOfIt = ({ image_mean, image_std, crop_size: { width, height } }: PreprocessConfig): string =>
  `so its frames are prepared as those of the published TimeSformers: ${width}x${height}, ` +
  `mean ${[image_mean].flat()[0]}, deviation ${[image_std].flat()[0]}.`

/** The published TimeSformers' own: their repositories carry it, checkpoints saved by hand may not. */
function published(model: TimesformerConfig): unknown {
  const [height, width] = [model.image_size].flat() as [number, number?]
  return {
    size: { shortest_edge: Math.min(height, width ?? height) },
    crop_size: { height, width: width ?? height },
    image_mean: [0.45, 0.45, 0.45],
    image_std: [0.225, 0.225, 0.225],
  }
}
