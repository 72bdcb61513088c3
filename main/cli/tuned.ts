import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { GenerateSettings } from '#app/contract/settings.ts'
import { keptTuning, tuningKey } from '#main/tunings.ts'
import type { Progress } from './progress.ts'

/**
 * The settings with what `autotune` kept for this model and size. Without `--tuned` they stay, and a note says that there is something.
 * Throws bad-input where nothing was kept.
 */
export async function withKept(
  settings: GenerateSettings,
  found: { model: LocatedModel; motionAdapter: LocatedModel | null },
  tuned: boolean,
  progress: Progress,
): Promise<GenerateSettings> {
  const kept = await keptTuning(tuningKey(settings, found))
  if (kept && tuned) {
    progress.note(`Tuned: ${kept.name}.`)
    return { ...settings, attnProcessor: kept.attnProcessor, forwardChunking: kept.forwardChunking }
  }
  if (tuned)
    throw new ProblemError(
      'bad-input',
      `--tuned: nothing is kept for ${found.model.name} at ${settings.width}x${settings.height} with ${settings.numFrames} frames on this processor. Run "frameloom autotune" with the same size first.`,
      { field: 'tuned' },
    )
  const isOwn = settings.attnProcessor === null && settings.forwardChunking === null
  if (kept && isOwn && (kept.attnProcessor !== null || kept.forwardChunking !== null))
    progress.note(`note: autotune kept "${kept.name}" for this model and size; --tuned uses it.`)
  return settings
}
