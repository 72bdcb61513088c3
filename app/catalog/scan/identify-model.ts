import { createHash } from 'node:crypto'
import type { ModelEntry } from '#app/contract/models.ts'
import type { FoundFolder } from './find-folders.ts'

/**
 * The id of a checkpoint: the same at each scan, and for bundled ones and those of the hub on each machine, so that a
 * recipe finds them again. Others get the beginning of a hash of their folder, because names such as "unet" repeat.
 */
export function modelId({ folder, name, hub }: FoundFolder, source: ModelEntry['source'], taken: Set<string>): string {
  const plain = name.replaceAll('/', '--').replaceAll(/[^A-Za-z0-9._-]+/g, '-')
  const hashed = `${plain}-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`
  const id = (source === 'bundled' || hub) && !taken.has(plain) ? plain : hashed
  taken.add(id)
  return id
}

/** How the bundled models are called, and what suits them (their README.md). */
export const demos: Record<string, Pick<ModelEntry, 'name' | 'suggested'>> = {
  'moving-shapes': {
    name: 'Moving Shapes (demo)',
    suggested: {
      numFrames: 8,
      numInferenceSteps: 25,
      guidanceScale: 4,
      prompt: 'a red circle moving left on a black background',
    },
  },
  'moving-shapes-motion': { name: 'Moving Shapes motion (demo)', suggested: { numFrames: 8 } },
  'moving-shapes-timesformer': { name: 'Moving Shapes TimeSformer (demo)' },
}
