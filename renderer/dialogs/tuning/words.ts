import { isOneProcessor, type AttnChoice } from '#app/contract/attn-processors.ts'
import type { ProfileShape, Tuning } from '#app/contract/profile.ts'
import { plural } from '#renderer/ui/format.ts'

/** "8 frames of 64x64, with guidance" */
export const shapeWords = ({ numFrames, width, height, batch }: ProfileShape): string =>
  `${plural(numFrames, 'frame')} of ${width}x${height}${batch > 1 ? ', with guidance' : ''}`

export const chunkingWords = ({ forwardChunking }: Tuning): string =>
  forwardChunking ? `${forwardChunking.chunkSize} along ${forwardChunking.dim === 0 ? 'batch' : 'tokens'}` : 'Off'

/** A map by how many layers have which processor. */
export function processorWords(choice: AttnChoice | null): string {
  if (choice === null) return 'Default'
  const counts = new Map<string, number>()
  for (const one of isOneProcessor(choice) ? [choice] : Object.values(choice)) {
    const name = 'slice_size' in one ? `Sliced, ${one.slice_size} at a time` : one.processor
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  if (isOneProcessor(choice)) return [...counts.keys()].join()
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ')
}
