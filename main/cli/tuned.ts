import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { Tuning } from '#app/contract/profile.ts'
import type { RunRequest } from '#app/contract/pipelines.ts'
import type { ByRole } from '#app/contract/pipelines/pipeline.ts'
import { keptTuning, tuningKey, type MeasuredSettings } from '#main/tunings.ts'
import type { Progress } from './progress.ts'

/**
 * The settings with what `autotune` kept for this model and size. Without `--tuned` they stay, and a note says that
 * there is something.
 * Throws bad-input where nothing was kept.
 */
export async function withKept<R extends RunRequest>(
  run: R,
  found: ByRole<LocatedModel>,
  tuned: boolean,
  progress: Progress,
): Promise<R> {
  const [model, motionAdapter = null] = [found.model?.[0], found.motionAdapter?.[0]]
  const settings: MeasuredSettings & Partial<Tuning> = run.settings
  const kept = model && (await keptTuning(tuningKey(settings, { model, motionAdapter })))
  if (kept && tuned) {
    progress.note(`Tuned: ${kept.name}.`)
    const { attnProcessor, forwardChunking } = kept
    return { ...run, settings: { ...settings, attnProcessor, forwardChunking } }
  }
  if (tuned)
    throw new ProblemError(
      'bad-input',
      `--tuned: nothing is kept for ${model?.name} at ${settings.width}x${settings.height} with ${settings.numFrames ?? 1} frames on this processor. Run "frameloom autotune" with the same size first.`,
      { field: 'tuned' },
    )
  const isOwn = !settings.attnProcessor && !settings.forwardChunking
  if (kept && isOwn && (kept.attnProcessor !== null || kept.forwardChunking !== null))
    progress.note(`note: autotune kept "${kept.name}" for this model and size; --tuned uses it.`)
  return run
}
